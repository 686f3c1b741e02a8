/** Which of three nodes owns a flow, on a simulated network (design-sip rule 6). */
import { beforeEach, describe, expect, it } from "vitest";
import { phoneAt, type SimulatedNode, SimulatedNet } from "../../../test/support/simulated-net.ts";
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

describe("flows", () => {
  it("a node that receives from a flow owns it, and sends to it at once", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    expect(a.cluster.deliver(phoneAt(flow), message)).toBeUndefined();
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });

  it("other nodes send through the owner without a question, because its first datagram was announced", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    expect(await outcome(b.cluster.deliver(phoneAt(flow), message))).toBe(true);
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
    expect(b.cluster.relays.sent).toBe(1);
  });

  it("flows of one turn of the event loop are announced in one frame to each peer", async () => {
    const before = net.sent.length;
    for (let port = 1; port <= 50; port++) a.cluster.claimFlow(flowOf("198.51.100.7", port));
    await net.settle();
    expect(net.sent.length - before).toBe(4); // two announcements, two answers
  });

  it("two nodes that receive from one flow at the same moment agree that the lower id owns it, and a third node reaches the phone", async () => {
    a.cluster.claimFlow(flow);
    b.cluster.claimFlow(flow);
    await net.settle();
    const owners = [a, b].map(({ cluster }) => cluster.flows.get(flow.key)?.owner);
    expect(owners).toEqual([a.id, a.id]);
    expect(await outcome(c.cluster.deliver({ flow, isBehindNat: true, ownerNode: "" }, message))).toBe(true);
  });

  it("flows that do not fit into one frame are announced in several frames", async () => {
    for (let port = 1; port <= 1_200; port++) a.cluster.claimFlow(flowOf("198.51.100.8", port));
    await net.settle();
    expect(b.cluster.flows.size).toBe(1_200);
  });

  it("a flow that moved belongs to the node that received from it last, for all nodes", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    await net.pass(10_000);
    b.cluster.claimFlow(flow);
    await net.settle();
    for (const node of [a, c]) expect(await outcome(node.cluster.deliver(phoneAt(flow), message))).toBe(true);
    expect(b.did).toHaveLength(2);
    expect(a.did).toEqual([]);
  });

  it.each([
    [10_000, true],
    [31_000, true],
    [33_000, false],
  ])(
    "rule 4: a peer received from the flow %i ms ago; peers must be asked about a request on it: %s",
    async (ago, mustAsk) => {
      a.cluster.claimFlow(flow);
      await net.settle();
      await net.pass(ago);
      const known = b.cluster.claimFlow(flow);
      expect(known.announcement).toBeInstanceOf(Promise);
      await net.settle();
      expect(known.announcement).toBeUndefined();
      expect(b.cluster.mustAskPeers(known)).toBe(mustAsk);
      await net.pass(32_000 - Math.min(ago, 31_999));
      expect(b.cluster.mustAskPeers(known)).toBe(false);
    },
  );

  it("no peer must be asked about a flow that none received from, also when a peer is silent", async () => {
    net.dead.add(c.id);
    const known = a.cluster.claimFlow(flow);
    await net.settle();
    expect(known.announcement).toBeInstanceOf(Promise);
    await net.pass(150);
    expect(known.announcement).toBeUndefined();
    expect(a.cluster.mustAskPeers(known)).toBe(false);
  });

  it("a released flow has no owner until a datagram arrives on it", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    b.cluster.releaseFlows([flow]);
    await net.settle();
    for (const node of [a, b, c]) expect(node.cluster.isReachable(flow)).toBe(false);
    a.cluster.claimFlow(flow);
    await net.settle();
    for (const node of [a, b, c]) expect(node.cluster.isReachable(flow)).toBe(true);
  });

  it("an authenticated flow that moves stays authenticated on its new node, for the remaining time", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    a.cluster.markAuthenticated(flow, 100_000);
    await net.pass(1_000);
    b.cluster.claimFlow(flow);
    b.cluster.claimFlow(flowOf("198.51.100.9", 1));
    await net.settle();
    expect(b.cluster.flows.get(flow.key)?.authenticatedUntil).toBe(net.now + 99_000);
    expect(b.cluster.flows.get("udp:198.51.100.9:1")?.authenticatedUntil).toBe(0);
  });

  it("a flow is announced again after more than 320 s of silence, and not before", async () => {
    const announced = () => net.sent.filter((kind) => kind === frameKinds.announceFlows).length;
    a.cluster.claimFlow(flow);
    await net.settle();
    for (const [silence, more] of [
      [319_000, 0],
      [321_000, 2],
    ] as const) {
      await net.pass(silence);
      const before = announced();
      a.cluster.claimFlow(flow);
      await net.settle();
      expect(announced() - before).toBe(more);
    }
  });

  it("with a shared port, flows are announced for 32 s after a node joined or left", async () => {
    const shared = new SimulatedNet();
    const [one, two] = [shared.join("a", true), shared.join("b", true)];
    await shared.pass(40_000);
    const announced = async (port: number) => {
      const before = shared.sent.filter((kind) => kind === frameKinds.announceFlows).length;
      one.cluster.claimFlow(flowOf("192.0.2.9", port));
      await shared.settle();
      return shared.sent.filter((kind) => kind === frameKinds.announceFlows).length - before;
    };
    expect(await announced(1)).toBe(0);
    const three = shared.join("c", true);
    await shared.pass(2_500);
    expect(await announced(2)).toBe(2);
    await shared.pass(33_000);
    expect(await announced(3)).toBe(0);
    shared.dead.add(three.id);
    await shared.pass(4_000);
    expect(await announced(4)).toBe(1);
    expect(two.cluster.flows.size).toBe(2);
  });

  it("with a shared port, no flow is announced and every node sends", async () => {
    const shared = new SimulatedNet();
    const [one] = [shared.join("a", true), shared.join("b", true)];
    await shared.pass(40_000);
    const before = shared.sent.length;
    one.cluster.claimFlow(flow);
    await shared.settle();
    expect(shared.sent.length).toBe(before);
    one.did.length = 0;
    expect(one.cluster.deliver(phoneAt(flowOf("192.0.2.9", 9)), message)).toBeUndefined();
    expect(one.did).toHaveLength(1);
  });
});
