/** `npm start` that cannot start, runs already, or is stopped: its messages and its exit status. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dataFolder } from "../../../cli/src/up/data-folder.ts";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { describeWith } from "../../support/needs.ts";
import { checkout, cluster, exchange, testTimeoutMs, runUp, UpProcess, yamlFolder } from "./up-process.ts";

describeWith(["mariadb"], "npm start", () => {
  test(
    "a problem that can be found before the start is reported at once, with status 1 and without a data folder",
    async () => {
      const busy = createSocket("udp4");
      onTestFinished(() => void busy.close());
      busy.bind(0, "127.0.0.1");
      await once(busy, "listening");
      const port = String(busy.address().port);
      const good = yamlFolder(exchange("ours", "ours.example"));
      const cases: readonly (readonly [readonly string[], string])[] = [
        [["--examples", good, "--port", port], `UDP port ${port} on 127.0.0.1 is in use by node`],
        [
          ["--examples", good, "--address", "192.0.2.1"],
          "--address 192.0.2.1 is not an address of this machine",
        ],
        [["--examples", good, "--port", "0"], "expected a whole number from 1 to 65535"],
        [["--examples", good, "--nodes", "x"], "expected a whole number from 1 to 64"],
        [["--nonsense"], "unknown option '--nonsense'"],
        [["--examples", yamlFolder({})], "no *.yaml or *.yml file in this folder"],
        [["--examples", join(good, "nowhere")], "cannot be read: ENOENT"],
        [["--examples", join(good, "bob.yaml")], "cannot be read: ENOTDIR"],
        [["--examples", yamlFolder({ "a.yaml": "" })], "a.yaml:1: the file is empty"],
        [
          ["--examples", yamlFolder({ "a.yaml": cluster("a").replace("replicas", "replica") })],
          "did you mean replicas?",
        ],
      ];
      for (const [args, message] of cases) {
        const { status, output } = await runUp([...args, "--once"]);
        expect(output, args.join(" ")).toContain(message);
        expect(status, args.join(" ")).toBe(1);
      }
      expect(existsSync(dataFolder(checkout, good))).toBe(false);
      const url = "mysql://nobody:wrong@127.0.0.1:1/none";
      const { status, output } = await runUp(
        ["--examples", good, "--once", "--port", String(await freeUdpPort("127.0.0.1"))],
        {
          DATABASE_URL: url,
        },
      );
      expect(output).toContain("No MySQL answers at 127.0.0.1:1 (from DATABASE_URL)");
      expect(output).not.toContain("wrong");
      expect(status).toBe(1);
      expect((await runUp(["--help"])).status).toBe(0);
    },
    testTimeoutMs,
  );

  test(
    "a second one reports the running process; a stopped --once does not exit with 0; without --once a stop exits with 0",
    async () => {
      const folder = yamlFolder(exchange("ours", "ours.example"));
      const port = String(await freeUdpPort("127.0.0.1"));
      const stopped = new UpProcess(["--once", "--port", port, "--examples", folder]);
      await stopped.waitForOutput("Starting the operator ...");
      stopped.signal("SIGINT");
      expect(await stopped.exited).toBe(130);
      expect(stopped.output).toContain("Stopping ...");
      expect(stopped.output).not.toContain("PASS");

      const first = new UpProcess(["--port", port, "--examples", folder]);
      await first.waitForOutput("Starting the database ...");
      const second = await runUp(["--once", "--examples", folder]);
      expect(second.output).toMatch(
        /Strowger already runs from this checkout \(pid \d+\)\. Stop it first: kill \d+/,
      );
      expect(second.status).toBe(1);
      await first.waitForOutput("PASS");
      await first.waitForOutput("Watching:");
      first.signal("SIGINT");
      expect(await first.exited).toBe(0);
      const third = await runUp(["--once", "--port", port, "--examples", folder]);
      expect(third.status).toBe(0);
    },
    testTimeoutMs,
  );
});
