/** `npm start` with other folders of YAML: other names and domains, several folders, data of an earlier version, an external database. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { describeWith } from "../../support/needs.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { domain, exchange, testTimeoutMs, runUp, user, writeYaml, yamlFolder } from "./up-process.ts";

describeWith(["mariadb"], "npm start", () => {
  let port: string;

  beforeAll(async () => {
    port = String(await freeUdpPort("127.0.0.1"));
  });

  const once = (folder: string, ...more: readonly string[]): readonly string[] => [
    "--once",
    "--port",
    port,
    "--examples",
    folder,
    ...more,
  ];

  test(
    "two folders with different SipClusters and domains work one after the other; the first one still works after the second",
    async () => {
      const [ours, theirs] = [exchange("ours", "ours.example"), exchange("theirs", "theirs.example")].map(
        yamlFolder,
      );
      for (const [folder, served] of [
        [ours ?? "", "ours.example"],
        [theirs ?? "", "theirs.example"],
        [ours ?? "", "ours.example"],
      ] as const) {
        const { status, output } = await runUp(once(folder));
        expect(output).toMatch(/PASS: alice on node-[ab] and bob on node-[ab] called each other/);
        expect(output).toMatch(new RegExp(`alice +sip:alice@${served} +alice-pw`));
        expect(output).not.toContain("Not Ready");
        expect(status).toBe(0);
      }
    },
    testTimeoutMs,
  );

  test(
    "a conflict with earlier data is reported with the solution --fresh; users who cannot log in are not listed; --fresh solves it",
    async () => {
      const folder = yamlFolder(exchange("ours", "ours.example"));
      expect((await runUp(once(folder))).status).toBe(0);
      writeYaml(folder, { "domain.yaml": domain("home", "ours", "other.example") });
      const { status, output } = await runUp(once(folder));
      const problem = /domain.yaml:\d+: SipDomain default\/home: spec.domain: domain is immutable/;
      expect(output).toMatch(problem);
      expect(output).toMatch(new RegExp(`FAIL: .*${problem.source}`));
      expect(output).toContain("SipUser default/alice: DomainNotFound");
      expect(output).toContain("npm start -- --fresh");
      expect(output).not.toContain("alice-pw");
      expect(status).toBe(1);
      const fresh = await runUp(once(folder, "--fresh"));
      expect(fresh.output).toMatch(/alice +sip:alice@other.example +alice-pw/);
      expect(fresh.status).toBe(0);
    },
    testTimeoutMs,
  );

  test(
    "a user that is not Ready is listed with the reason and not in the table of logins; the others call each other, also with generated passwords",
    async () => {
      const folder = yamlFolder({
        ...exchange("ours", "ours.example"),
        "lost.yaml": user("lost", "nowhere"),
        "secretless.yaml": user("secretless", "home").split("---\n")[1] ?? "",
        "alice.yaml": `${user("alice", "home")
          .split("---\n")[1]
          ?.replace(/passwordSecretRef.*/, "generatePassword: true }")}`,
      });
      const { status, output } = await runUp(once(folder));
      expect(output).toContain("SipUser default/lost: DomainNotFound: there is no SipDomain nowhere");
      expect(output).toContain("SipUser default/secretless: SecretNotFound");
      expect(output).not.toContain("sip:secretless@");
      expect(output).toMatch(/alice +sip:alice@ours.example +[A-Za-z0-9_-]{16,}/);
      expect(output).toContain("PASS: alice");
      expect(status).toBe(0);
      rmSync(join(folder, "bob.yaml"));
      const alone = await runUp(once(folder));
      expect(alone.output).toMatch(
        /FAIL: the self-check needs two users .*SipUser default\/lost is not Ready: DomainNotFound/,
      );
      expect(alone.status).toBe(1);
    },
    testTimeoutMs,
  );

  test(
    "with DATABASE_URL two folders use one database: the second has DatabaseTaken, and --fresh is refused",
    async () => {
      await using server = await startMariadb();
      const env = { DATABASE_URL: server.url };
      const [ours, theirs] = [exchange("ours", "ours.example"), exchange("theirs", "theirs.example")].map(
        yamlFolder,
      );
      expect((await runUp(once(ours ?? ""), env)).status).toBe(0);
      const { status, output } = await runUp(once(theirs ?? ""), env);
      expect(output).toMatch(/FAIL: .*SipCluster default\/theirs is not Ready: DatabaseTaken/);
      expect(output).not.toContain("npm start -- --fresh");
      expect(output).not.toContain("alice-pw");
      expect(status).toBe(1);
      for (const [wrong, reason] of [
        [env.DATABASE_URL.replace("root@", "nobody:secret@"), "Access denied for user 'nobody'"],
        [env.DATABASE_URL.replace("/strowger", "/absent"), "Unknown database 'absent'"],
        [env.DATABASE_URL.replace("/strowger", ""), "DATABASE_URL contains no database name"],
        ["postgres://127.0.0.1/x", "DATABASE_URL begins with postgres://"],
      ] as const) {
        const refused = await runUp(once(ours ?? ""), { DATABASE_URL: wrong });
        expect(refused.output).toContain(reason);
        expect(refused.output).not.toContain("secret");
        expect(refused.status).toBe(1);
      }
      const fresh = await runUp(once(ours ?? "", "--fresh"), env);
      expect(fresh.output).toContain("DATABASE_URL");
      expect(fresh.status).toBe(1);
      const again = await runUp(once(ours ?? ""), env);
      expect(again.output).toContain("alice-pw");
      expect(again.status).toBe(0);
    },
    testTimeoutMs,
  );
});
