/** Messages of three nodes to a phone, on a simulated network (design-sip rules 6 and 7). */
import { beforeEach, describe, expect, it } from "vitest";
import { phoneAt, type SimulatedNode, type SimulatedNet } from "../../../test/support/simulated-net.ts";
import { flow, message, outcomeOn, startThreeNodes } from "../../../test/support/three-nodes.ts";
import { flowOf } from "../wire/flow.ts";
import { frameKinds } from "./frame.ts";

let net: SimulatedNet;
let a: SimulatedNode;
let b: SimulatedNode;
let c: SimulatedNode;
beforeEach(async () => {
  ({ net, a, b, c } = await startThreeNodes());
});
const outcome = <T>(promise: Promise<T> | undefined): Promise<T | undefined> => outcomeOn(net, promise);

describe("messages to a phone (rules 6 and 7)", () => {
  it("the owner that a row or a token names is tried when this node has forgotten the owner", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    b.cluster.flows.record(flow, "", net.now);
    expect(await outcome(b.cluster.deliver(phoneAt(flow, a.id), message))).toBe(true);
    expect(a.did).toHaveLength(1);
  });

  it("when that owner is outdated, all peers are asked and the owner is found", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    b.cluster.flows.record(flow, "", net.now);
    expect(await outcome(b.cluster.deliver(phoneAt(flow, c.id), message))).toBe(true);
    expect(a.did).toHaveLength(1);
    expect(c.did).toEqual([]);
  });

  it("a lost sendToPhone frame is sent again within 100 ms", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    net.lose.set(frameKinds.sendToPhone, 1);
    const sent = b.cluster.deliver(phoneAt(flow), message);
    expect(await outcome(sent)).toBeUndefined();
    await net.pass(150);
    expect(await outcome(sent)).toBe(true);
    expect(a.did).toHaveLength(1);
  });

  it("a sendToPhone frame whose acknowledgement is lost is sent again, and the phone gets the message once", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    net.lose.set(frameKinds.acknowledge, 1);
    const sent = b.cluster.deliver(phoneAt(flow), message);
    await net.pass(150);
    expect(await outcome(sent)).toBe(true);
    expect(net.sent.filter((kind) => kind === frameKinds.sendToPhone)).toHaveLength(2);
    expect(a.did).toHaveLength(1);
    expect(await outcome(b.cluster.deliver(phoneAt(flow), message))).toBe(true);
    expect(a.did).toHaveLength(2);
  });

  it("several messages that a node accepts from one peer are acknowledged in one frame, and a refusal is not delayed", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    net.sent.length = 0;
    const sent = [1, 2, 3].map(async () => b.cluster.deliver(phoneAt(flow), message));
    await net.settle();
    const count = (kind: number): number => net.sent.filter((each) => each === kind).length;
    expect([count(frameKinds.acknowledge), count(frameKinds.answer)]).toEqual([0, 0]);
    await net.pass(25);
    expect(await Promise.all(sent)).toEqual([true, true, true]);
    expect(count(frameKinds.acknowledge)).toBe(1);

    const other = flowOf("198.51.100.8", 4711);
    void b.cluster.deliver(phoneAt(other, a.id), message);
    await net.settle();
    expect(count(frameKinds.findOwner)).toBe(2);
  });

  it("rule 7: without an owner, a phone that is not behind NAT is sent to from the second socket", async () => {
    expect(await outcome(a.cluster.deliver(phoneAt(flow, "", false), message))).toBe(true);
    expect(a.did).toEqual([`directly ${flow.key}: MESSAGE`]);
  });

  it("a forgotten flow is sent to from this node's socket when the row names this node and no peer owns the flow", async () => {
    expect(await outcome(a.cluster.deliver(phoneAt(flow, a.id), message))).toBe(true);
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
    a.did.length = 0;
    b.cluster.claimFlow(flow);
    await net.settle();
    expect(await outcome(a.cluster.deliver(phoneAt(flow, a.id), message))).toBe(true);
    expect([a.did, b.did]).toEqual([[], [`to phone ${flow.key}: MESSAGE`]]);
  });

  it("a released flow is not", async () => {
    a.cluster.releaseFlows([flow]);
    expect(await outcome(a.cluster.deliver(phoneAt(flow, a.id), message))).toBeUndefined();
    expect(a.did).toEqual([]);
  });

  it("rule 7, P4: a message to a phone behind NAT waits for its next datagram, on any node", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    net.dead.add(a.id);
    await net.pass(4_000);
    const sent = b.cluster.deliver(phoneAt(flow, a.id), message);
    await net.pass(10_000);
    expect(await outcome(sent)).toBeUndefined();
    c.cluster.claimFlow(flow);
    expect(await outcome(sent)).toBe(true);
    expect(c.did.filter((what) => what.startsWith("to phone"))).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });

  it("it waits at most 25 s", async () => {
    const sent = b.cluster.deliver(phoneAt(flow), message);
    await net.settle();
    await net.pass(24_000);
    expect(await outcome(sent)).toBeUndefined();
    await net.pass(2_000);
    expect(await outcome(sent)).toBe(false);
  });

  it("a retransmission of a waiting message is not queued twice", async () => {
    void b.cluster.deliver(phoneAt(flow), message);
    await net.settle();
    void b.cluster.deliver(phoneAt(flow), message);
    await net.settle();
    b.cluster.claimFlow(flow);
    await net.settle();
    expect(b.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });
});
