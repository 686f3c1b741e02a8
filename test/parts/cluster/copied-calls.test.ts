/** Calls between phones that a node knows read nothing from MySQL, on one node and across two (docs/adr/0045). */
import { expect, test } from "vitest";
import { total } from "../../../cli/src/up/metrics.ts";
import { describeWith } from "../../support/needs.ts";
import type { Phone } from "../../support/phone.ts";
import { status } from "../../support/sip-text.ts";
import { TestCluster } from "../../support/test-cluster.ts";

const domain = "parts.example";
/** Statements of look-ups. Others are heartbeats and polls, which do not depend on calls. */
const lookUps = ["resolve", "bindings", "binding by id", "bindings by contact", "dialog targets"];

describeWith(["mariadb"], "calls between known phones", () => {
  async function callBothWays(phones: readonly [Phone, Phone]): Promise<void> {
    for (const [caller, called] of [phones, [phones[1], phones[0]]] as const) {
      const dialog = await caller.call(called.login.username);
      expect(status(await caller.inDialog("BYE", dialog).final)).toBe(200);
    }
  }

  /** Look-ups that read the database, and statements of look-ups, of all nodes. */
  async function reads(cluster: TestCluster): Promise<number> {
    const samples = await Promise.all(cluster.nodes.map((node) => cluster.metrics(node)));
    return samples.reduce(
      (sum, ofNode) =>
        lookUps.reduce(
          (all, statement) => all + total(ofNode, "strowger_database_seconds_count", { statement }),
          sum + total(ofNode, "strowger_copy_lookups_total", { result: "database" }),
        ),
      0,
    );
  }

  test.each([1, 2])("%i node(s): 20 calls read nothing, and a REGISTER reads nothing", async (nodes) => {
    await using cluster = await TestCluster.start({ front: "balancer", nodes });
    await cluster.insertUsers(domain, ["alice", "bob"]);
    using alice = await cluster.phone("alice", domain);
    using bob = await cluster.phone("bob", domain);
    await cluster.balancer?.move(alice.local, "node-a");
    await cluster.balancer?.move(bob.local, nodes === 1 ? "node-a" : "node-b");
    for (const phone of [alice, bob]) expect(status(await phone.register())).toBe(200);
    // The tables of users were written a moment ago: until no poll sees that any more, users are read again
    const round = async () => {
      const before = await reads(cluster);
      for (let call = 0; call < 10; call++) await callBothWays([alice, bob]);
      for (const phone of [alice, bob]) expect(status(await phone.register())).toBe(200);
      return (await reads(cluster)) - before;
    };
    await expect.poll(round, { timeout: 30_000, interval: 500 }).toBe(0);
  });
});
