/** MySQL stops and starts again while nodes run: only stored bindings are acknowledged, and the nodes recover by themselves (P7). */
import { expect, test } from "vitest";
import { TestCluster } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { header, status } from "../../support/sip-text.ts";

const domain = "parts.example";

describeWith(["mariadb"], "a database that is killed and started again", () => {
  test("during the outage REGISTER gets 500 with Retry-After and an existing call can be hung up; afterwards everything works again", async () => {
    await using cluster = await TestCluster.start({ front: "shared port", nodes: 2 });
    await cluster.insertUsers(domain, ["alice", "bob"]);
    using alice = await cluster.phone("alice", domain);
    using bob = await cluster.phone("bob", domain);
    for (const phone of [alice, bob]) expect(status(await phone.register())).toBe(200);
    const dialog = await alice.call("bob");
    await bob.waitFor((message) => message.startLine.startsWith("ACK"));

    await cluster.database.crash();
    const refused = await alice.register();
    expect(status(refused)).toBe(500);
    expect(Number(header(refused, "retry-after"))).toBeGreaterThan(0);
    expect(status(await alice.inDialog("BYE", dialog).final)).toBe(200);

    await cluster.database.restart();
    await expect
      .poll(async () => status(await alice.register()), { timeout: 10_000, interval: 200 })
      .toBe(200);
    await alice.call("bob");
    for (const node of cluster.nodes) expect(node.child.process.exitCode).toBeNull();
  });
});
