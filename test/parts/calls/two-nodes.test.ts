/**
 * Two nodes, each with its own address, behind a balancer that assigns each flow to a node as kube-proxy does. The phones accept packets
 * only from the balancer's address. With the shared port of `npm start` a packet from the wrong node would not be noticed.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import type { Phone } from "../../support/phone.ts";
import { header, method, status } from "../../support/sip-text.ts";

const domain = "parts.example";

describeWith(["mariadb"], "a phone on node A and a phone on node B", () => {
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
    expect((await alice.register()).startLine).toBe("SIP/2.0 200 OK");
    expect((await bob.register()).startLine).toBe("SIP/2.0 200 OK");
  });
  afterAll(async () => {
    for (const phone of [alice, bob]) phone?.[Symbol.dispose]();
    await cluster[Symbol.asyncDispose]();
  });

  test("the phones registered through different nodes", async () => {
    const counts = await cluster.requests("REGISTER");
    console.log("REGISTERs handled:", counts);
    expect(Object.values(counts).every((count) => count > 0)).toBe(true);
  });

  test("a call from A rings on B, and hangs up from either side", async () => {
    const [caller, callee] = [alice, bob];
    const dialog = await caller.call("bob");
    await callee.waitFor(
      (message) => message.startLine.startsWith("ACK") && header(message, "call-id") === dialog.callId,
    );
    expect((await caller.inDialog("BYE", dialog).final).startLine).toBe("SIP/2.0 200 OK");
    const back = await callee.call("alice");
    await caller.waitFor(
      (message) => message.startLine.startsWith("ACK") && header(message, "call-id") === back.callId,
    );
    const answered = [...caller.served.values()].find((served) => served.dialog.callId === back.callId);
    expect((await caller.inDialog("BYE", answered!.dialog).final).startLine).toBe("SIP/2.0 200 OK");
    const counts = await cluster.requests("INVITE");
    console.log("INVITEs handled:", counts, "packets:", Object.fromEntries(cluster.balancer!.counts));
    expect(Object.values(counts).every((count) => count > 0)).toBe(true);
  });

  test("the phones received packets only from the exchange's address, and only a flow's owner sent to a phone", () => {
    for (const phone of [alice, bob]) expect(phone.dropped).toEqual([]);
    for (const [node, { dropped }] of cluster.balancer!.counts) expect(dropped, node).toBe(0);
  });

  test("a MESSAGE is forwarded through both nodes and answered", async () => {
    const response = await alice.message("bob", "are you there?").final;
    expect(response.startLine).toBe("SIP/2.0 200 OK");
    expect((await bob.waitFor((message) => method(message) === "MESSAGE")).message.body).toBe(
      "are you there?",
    );
  });

  test("a CANCEL that arrives at the other node cancels the ringing call (§9.1)", async () => {
    bob.answering = "ring";
    const call = alice.invite("bob");
    await bob.waitFor(
      (message) => message.startLine.startsWith("INVITE") && header(message, "call-id") === call.callId,
    );
    await alice.waitFor((message) => status(message) === 180 && header(message, "call-id") === call.callId);
    await cluster.balancer?.move(alice.local, "node-b");
    expect(status(await call.cancel().final)).toBe(200);
    expect(status(await call.final)).toBe(487);
    await cluster.balancer?.move(alice.local, "node-a");
    bob.answering = "answer";
  });

  test("an established call continues when the caller's flow moves to the other node", async () => {
    await alice.register();
    const dialog = await alice.call("bob");
    await cluster.balancer?.move(alice.local, "node-b");
    expect(status(await alice.inDialog("INFO", dialog).final)).toBe(200);
    expect(status(await alice.inDialog("BYE", dialog).final)).toBe(200);
    await cluster.balancer?.move(alice.local, "node-a");
  });
});
