/**
 * MySQL hangs, and is killed, while phones of two nodes call each other (P7): no call between known phones fails, REGISTER is refused, and the
 * nodes recover by themselves.
 */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { total } from "../../../cli/src/up/metrics.ts";
import { describeWith } from "../../support/needs.ts";
import type { Phone } from "../../support/phone.ts";
import { header, status } from "../../support/sip-text.ts";
import { TestCluster } from "../../support/test-cluster.ts";

const domain = "parts.example";
/** Longer than all time limits of statements, and than the time after which a silent node is marked gone. STROWGER_OUTAGE: in seconds. */
const outage = Number(process.env["STROWGER_OUTAGE"] ?? 13) * 1_000;
const pause = (duration: number) => new Promise((resolve) => setTimeout(resolve, duration));

describeWith(["mariadb"], "calls between known phones of two nodes", () => {
  let cluster: TestCluster;
  let alice: Phone;
  let bob: Phone;

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "balancer", nodes: 2 });
    await cluster.insertUsers(domain, ["alice", "bob"]);
    alice = await cluster.phone("alice", domain);
    bob = await cluster.phone("bob", domain);
    await cluster.balancer?.move(alice.local, "node-a");
    await cluster.balancer?.move(bob.local, "node-b");
    for (const phone of [alice, bob]) expect((await phone.register()).startLine).toBe("SIP/2.0 200 OK");
    await callBothWays();
  });
  afterAll(async () => {
    for (const phone of [alice, bob]) phone?.[Symbol.dispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** Throws if a call fails. */
  async function callBothWays(): Promise<void> {
    for (const [caller, called] of [
      [alice, "bob"],
      [bob, "alice"],
    ] as const) {
      const dialog = await caller.call(called);
      expect(status(await caller.inDialog("BYE", dialog).final)).toBe(200);
    }
  }

  /** Calls all the time of an outage. Returns the number of calls. */
  async function callDuring(): Promise<number> {
    let calls = 0;
    for (const end = Date.now() + outage; Date.now() < end; await pause(80)) {
      await callBothWays();
      calls += 2;
    }
    return calls;
  }

  const isRegistered = async (): Promise<boolean> => status(await alice.register()) === 200;

  test("the database hangs: calls go on, a REGISTER gets 500 with Retry-After; then it works again", async () => {
    const pid = await serverPid(cluster);
    process.kill(pid, "SIGSTOP");
    try {
      const refused = alice.register();
      console.log("calls while the database hung:", await callDuring());
      expect(status(await refused)).toBe(500);
      expect(Number(header(await refused, "retry-after"))).toBeGreaterThan(0);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await expect.poll(isRegistered, { timeout: 15_000, interval: 200 }).toBe(true);
    await callBothWays();
  });

  test("the database is killed: the same, and an unknown user gets 500", async () => {
    await cluster.database.crash();
    const calls = callDuring();
    await pause(1_500);
    expect(status(await alice.register())).toBe(500);
    expect(status(await alice.invite("carol").final)).toBe(500);
    console.log("calls while the database was gone:", await calls);
    await cluster.database.restart();
    await expect.poll(isRegistered, { timeout: 15_000, interval: 200 }).toBe(true);
    await callBothWays();
    for (const node of cluster.nodes) {
      const samples = await cluster.metrics(node);
      console.log(
        node.name,
        ["copy", "database", "away", "unavailable"].map((result) => [
          result,
          total(samples, "strowger_copy_lookups_total", { result }),
        ]),
      );
      expect(node.child.process.exitCode).toBeNull();
    }
  });
});

/** Of the MariaDB of this test. */
async function serverPid(cluster: TestCluster): Promise<number> {
  const [row] = await cluster.database.query<{ file: string }>("SELECT @@pid_file AS file");
  return Number((await readFile(row!.file, "utf8")).trim());
}
