/** `npm start` that keeps running: reports about removed users, and which users can log in then. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { ScriptedPhone } from "../../../cli/src/up/scripted-phone.ts";
import { describeWith } from "../../support/needs.ts";
import { exchange, testTimeoutMs, UpProcess, user, writeYaml, yamlFolder } from "./up-process.ts";

const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `u${from + index}`);

/** The final status of a REGISTER of this user. */
async function registerAs(name: string, port: number): Promise<number> {
  const phone = new ScriptedPhone({
    login: { username: name, domain: "ours.example", password: `${name}-pw` },
    address: "127.0.0.21",
    port: await freeUdpPort("127.0.0.21"),
    exchange: { address: "127.0.0.1", port },
    onMessage: () => undefined,
  });
  onTestFinished(() => phone[Symbol.dispose]());
  return await phone.register(60);
}

describeWith(["mariadb"], "npm start", () => {
  test(
    "many users that disappear at once are retained and reported; a user that is removed later is removed; so is one that was restored before",
    async () => {
      const users = Object.fromEntries(names(1, 20).map((name) => [`${name}.yaml`, user(name, "home")]));
      const folder = yamlFolder({ ...exchange("ours", "ours.example"), ...users });
      const port = await freeUdpPort("127.0.0.1");
      const up = new UpProcess(["--port", String(port), "--examples", folder]);
      await up.waitForOutput("Watching:");

      for (const name of names(1, 12)) rmSync(join(folder, `${name}.yaml`));
      await up.waitForOutput(
        /SipUser: not removed, they still work: default\/u1, .* and 7 more \(12 in total\)/,
      );
      expect(up.output).not.toContain(": removed");
      expect(await registerAs("u1", port)).toBe(200);

      rmSync(join(folder, "u13.yaml"));
      await up.waitForOutput("SipUser default/u13: removed");
      expect(await registerAs("u13", port)).not.toBe(200);
      expect(await registerAs("u2", port)).toBe(200);

      writeYaml(folder, { "u1.yaml": user("u1", "home") });
      await up.waitForOutput(/SipUser default\/u1: Ready/);
      rmSync(join(folder, "u1.yaml"));
      await up.waitForOutput("SipUser default/u1: removed");
      expect(await registerAs("u1", port)).not.toBe(200);
      expect(up.output.match(/: removed/g)).toHaveLength(2);

      up.signal("SIGINT");
      expect(await up.exited).toBe(0);
      const again = new UpProcess(["--once", "--port", String(port), "--examples", folder]);
      expect(await again.exited).toBe(0);
      expect(again.output).toMatch(/Deleted from the YAML:\n +SipUser: not removed, .* \(11 in total\)/);
    },
    testTimeoutMs,
  );

  test(
    "a mistake and its correction are reported while it runs, and no user is removed",
    async () => {
      const folder = yamlFolder(exchange("ours", "ours.example"));
      const port = await freeUdpPort("127.0.0.1");
      const up = new UpProcess(["--port", String(port), "--examples", folder]);
      await up.waitForOutput("Watching:");
      writeYaml(folder, { "bob.yaml": user("bob", "home").replace("username:", "usrname:") });
      await up.waitForOutput("spec.usrname is not a field; did you mean username?");
      expect(await registerAs("bob", port)).toBe(200);
      writeYaml(folder, { "bob.yaml": `${user("bob", "home")}---\n` });
      await up.waitForOutput("the YAML is valid again");
      writeYaml(folder, { "alice.yaml": user("alice", "home").replace("alice-pw", "other-pw") });
      await up.waitForOutput("alice@ours.example logs in with the new password");
      expect(up.output).not.toContain("removed");
    },
    testTimeoutMs,
  );
});
