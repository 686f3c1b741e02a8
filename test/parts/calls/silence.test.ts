/** A phone that does not answer. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { status } from "../../support/sip-text.ts";

describeWith(["mariadb"], "a callee that does not answer", () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 1 });
    await cluster.insertUsers("parts.example", ["alice", "bob"]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test("§16.7: without a response within Timer B (32 s) the caller gets 100 at once and 408 after it", async () => {
    using alice = await cluster.phone("alice", "parts.example");
    using bob = await cluster.phone("bob", "parts.example");
    await bob.register();
    bob.answering = "silent";
    const call = alice.invite("bob");
    await alice.waitFor((message) => status(message) === 100, 1000);
    expect(status(await call.final)).toBe(408);
    expect(bob.count("INVITE"), "repeated by Timer A").toBeGreaterThan(4);
  });
});
