/** `npm start` that stays up: what the screen says of who is gone, and who can log in then. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { ScriptedPhone } from "../../../cli/src/up/scripted-phone.ts";
import { describeWith } from "../../support/needs.ts";
import { exchange, patience, UpProcess, user, writeYaml, yamlFolder } from "./up-process.ts";

const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `u${from + index}`);

/** The answer to a REGISTER of that user. */
async function logsIn(name: string, port: number): Promise<number> {
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
    "many who are gone at once stay and the screen says so; who goes later is removed; who comes back and goes is, too",
    async () => {
      const users = Object.fromEntries(names(1, 20).map((name) => [`${name}.yaml`, user(name, "home")]));
      const folder = yamlFolder({ ...exchange("ours", "ours.example"), ...users });
      const port = await freeUdpPort("127.0.0.1");
      const up = new UpProcess(["--port", String(port), "--examples", folder]);
      await up.says("Watching:");

      for (const name of names(1, 12)) rmSync(join(folder, `${name}.yaml`));
      await up.says(/SipUser: not removed, they still work: default\/u1, .* and 7 more \(12 in total\)/);
      expect(up.output).not.toContain(": removed");
      expect(await logsIn("u1", port)).toBe(200);

      rmSync(join(folder, "u13.yaml"));
      await up.says("SipUser default/u13: removed");
      expect(await logsIn("u13", port)).not.toBe(200);
      expect(await logsIn("u2", port)).toBe(200);

      writeYaml(folder, { "u1.yaml": user("u1", "home") });
      await up.says(/SipUser default\/u1: Ready/);
      rmSync(join(folder, "u1.yaml"));
      await up.says("SipUser default/u1: removed");
      expect(await logsIn("u1", port)).not.toBe(200);
      expect(up.output.match(/: removed/g)).toHaveLength(2);

      up.signal("SIGINT");
      expect(await up.exited).toBe(0);
      const again = new UpProcess(["--once", "--port", String(port), "--examples", folder]);
      expect(await again.exited).toBe(0);
      expect(again.output).toMatch(/Deleted from the YAML:\n +SipUser: not removed, .* \(11 in total\)/);
    },
    patience,
  );

  test(
    "a mistake and its end are told while it runs, and nobody is removed for it",
    async () => {
      const folder = yamlFolder(exchange("ours", "ours.example"));
      const port = await freeUdpPort("127.0.0.1");
      const up = new UpProcess(["--port", String(port), "--examples", folder]);
      await up.says("Watching:");
      writeYaml(folder, { "bob.yaml": user("bob", "home").replace("username:", "usrname:") });
      await up.says("spec.usrname is not a field; did you mean username?");
      expect(await logsIn("bob", port)).toBe(200);
      writeYaml(folder, { "bob.yaml": `${user("bob", "home")}---\n` });
      await up.says("the YAML is valid again");
      writeYaml(folder, { "alice.yaml": user("alice", "home").replace("alice-pw", "other-pw") });
      await up.says("alice@ours.example logs in with the new password");
      expect(up.output).not.toContain("removed");
    },
    patience,
  );
});
