/** `kill -9` of one of two nodes: no binding is lost, and the other node serves all phones (P4). */
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestCluster } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import type { Phone } from "../../support/phone.ts";
import { header, status } from "../../support/sip-text.ts";

const domain = "parts.example";

for (const front of ["shared port", "balancer"] as const) {
  describeWith(["mariadb"], `kill -9 of a node behind a ${front}`, () => {
    let cluster: TestCluster;
    let phones: Phone[] = [];

    beforeEach(async () => {
      cluster = await TestCluster.start({ front, nodes: 2 });
      await cluster.insertUsers(domain, ["alice", "bob", "carol", "dave"]);
      phones = await registeredOnBothNodes(cluster);
    });
    afterEach(async () => {
      for (const phone of phones) phone[Symbol.dispose]();
      await cluster[Symbol.asyncDispose]();
    });

    test("no binding is lost, and each phone can call every other through the remaining node", async () => {
      await cluster.kill("node-a");
      const rows = await cluster.database.query<{ username: string }>(
        "SELECT DISTINCT username FROM location ORDER BY username",
      );
      expect(rows.map((row) => row.username)).toEqual(["alice", "bob", "carol", "dave"]);
      // Phones behind NAT are reachable again at their next datagram (P4): a keepalive is one.
      for (const phone of phones) phone.send("\r\n\r\n");
      for (const [index, caller] of phones.entries()) {
        const callee = phones[(index + 1) % phones.length]!;
        const dialog = await caller.call(callee.login.username);
        await callee.waitFor(
          (message) => message.startLine.startsWith("ACK") && header(message, "call-id") === dialog.callId,
        );
        expect(status(await caller.inDialog("BYE", dialog).final)).toBe(200);
      }
      for (const phone of phones) expect(status(await phone.register())).toBe(200);
      expect((await cluster.requests("INVITE"))["node-b"]).toBeGreaterThan(0);
    });

    test("an established call is hung up through the remaining node", async () => {
      const [alice, bob] = [phones[0]!, phones[1]!];
      const dialog = await alice.call("bob");
      await bob.waitFor(
        (message) => message.startLine.startsWith("ACK") && header(message, "call-id") === dialog.callId,
      );
      await cluster.kill("node-a");
      for (const phone of phones) phone.send("\r\n\r\n");
      expect(status(await alice.inDialog("BYE", dialog).final)).toBe(200);
    });
  });
}

/** Four phones. The kernel chooses their nodes by source port, so they try other ports until each node has handled some of them. */
async function registeredOnBothNodes(cluster: TestCluster): Promise<Phone[]> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const names = ["alice", "bob", "carol", "dave"];
    const phones = await Promise.all(names.map((name) => cluster.phone(name, domain)));
    for (const phone of phones) expect(status(await phone.register())).toBe(200);
    const handled = await cluster.requests("REGISTER");
    console.log("REGISTERs handled:", handled);
    if (Object.values(handled).every((count) => count > 0)) return phones;
    for (const phone of phones) phone[Symbol.dispose]();
  }
  throw new Error("one node handled every REGISTER of 40 source ports");
}
