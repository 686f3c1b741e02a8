/** Three nodes on a simulated network (design-sip rules 3, 4, 9 and 21). The other cluster-*.test.ts have the other rules. */
import { beforeEach, describe, expect, it } from "vitest";
import { type SimulatedNode, SimulatedNet } from "../../../test/support/simulated-net.ts";
import { flow, message, outcomeOn, sealOf, startThreeNodes } from "../../../test/support/three-nodes.ts";
import { flowOf } from "../wire/flow.ts";
import { encodeFrame, type FrameKind, frameKinds, packFlows, packMessage, packStatus } from "./frame.ts";

let net: SimulatedNet;
let a: SimulatedNode;
let b: SimulatedNode;
let c: SimulatedNode;
beforeEach(async () => {
  ({ net, a, b, c } = await startThreeNodes());
});
const outcome = <T>(promise: Promise<T> | undefined): Promise<T | undefined> => outcomeOn(net, promise);
const seal = () => sealOf(net);

describe("liveness (rule 9)", () => {
  it("nodes find each other in the table and are alive after their first answer", () => {
    expect(a.cluster.membership.alive(net.now).map(({ id }) => id)).toEqual([b.id, c.id]);
  });

  it("pingPeers resolves when every peer has answered, and after 100 ms without an answer", async () => {
    const answered = a.cluster.heartbeat.pingPeers().then(() => "over");
    expect(await outcome(answered)).toBe("over");
    net.dead.add(c.id);
    const waiting = a.cluster.heartbeat.pingPeers().then(() => "over");
    expect(await outcome(waiting)).toBeUndefined();
    await net.pass(125);
    expect(await outcome(waiting)).toBe("over");
  });

  it("a silent node is dead for all peers after 3 s and not before; the observer is notified once", async () => {
    net.dead.add(c.id);
    await net.pass(2_400);
    expect(a.cluster.membership.isAlive(c.id, net.now)).toBe(true);
    await net.pass(1_200);
    for (const node of [a, b]) {
      expect(node.cluster.membership.isAlive(c.id, net.now)).toBe(false);
      expect(node.did).toEqual([`peer ${c.id} dead`]);
    }
    await net.pass(5_000);
    expect(a.did).toHaveLength(1);
  });

  it("a dead node is alive again after its first frame", async () => {
    net.dead.add(c.id);
    await net.pass(4_000);
    net.dead.delete(c.id);
    await net.pass(1_500);
    expect(a.did).toEqual([`peer ${c.id} dead`, `peer ${c.id} alive`]);
  });

  it("the membership does not change while the database is unavailable: only pings declare a peer dead", async () => {
    net.isDatabaseAway = true;
    await net.pass(20_000);
    expect(a.cluster.membership.alive(net.now)).toHaveLength(2);
    expect(new Set(a.did)).toEqual(new Set(["directory failed"]));
  });

  it("unsealed bytes, changed frames and the node's own frames are refused", () => {
    const before = a.cluster.relays.refused;
    for (const text of ["", "x", "INVITE sip:b@h SIP/2.0\r\n\r\n", "\x01aaaaaaaaaaaa0000................."])
      a.cluster.receive(Buffer.from(text, "latin1"), { host: "x", port: 1 });
    const own = encodeFrame(
      { kind: "offer", from: a.id, number: 1, body: packMessage(flow, message) },
      seal(),
    );
    a.cluster.receive(own, { host: "node-a", port: 7_000 });
    expect([a.cluster.relays.refused - before, a.did]).toEqual([5, []]);
  });
});

describe("messages for another node's transactions", () => {
  it("rule 3: a response goes to the node that its branch names, once", async () => {
    expect(a.cluster.relayResponse(b.id, message, flow)).toBe(true);
    await net.settle();
    expect(b.did).toEqual([`response ${flow.key}: MESSAGE`]);
    expect(c.did).toEqual([]);
    expect([a.cluster.relays.sent, b.cluster.relays.received]).toEqual([1, 1]);
  });

  it("it is not relayed to a node that is dead or unknown", async () => {
    net.dead.add(b.id);
    await net.pass(4_000);
    expect(a.cluster.relayResponse(b.id, message, flow)).toBe(false);
    expect(a.cluster.relayResponse("f".repeat(12), message, flow)).toBe(false);
  });

  it("responses are acknowledged together within 100 ms", async () => {
    for (let i = 0; i < 5; i++) a.cluster.relayResponse(b.id, message, flow);
    await net.settle();
    await net.pass(75);
    expect(net.sent.filter((kind) => kind === frameKinds.acknowledge)).toHaveLength(1);
  });

  it("rule 4: a CANCEL or ACK is offered to all peers, and its holder accepts it", async () => {
    c.acceptsOffered = true;
    expect(await outcome(a.cluster.offer(message, flow))).toBe(true);
    expect([b.did, c.did]).toEqual([[`offered ${flow.key}: MESSAGE`], [`offered ${flow.key}: MESSAGE`]]);
  });

  it("an offer is not accepted when all peers refuse it, when one is silent for 100 ms, and when there is no peer", async () => {
    expect(await outcome(a.cluster.offer(message, flow))).toBe(false);
    net.lose.set(frameKinds.offer, 1);
    const offered = a.cluster.offer(message, flow);
    expect(await outcome(offered)).toBeUndefined();
    await net.pass(150);
    expect(await outcome(offered)).toBe(false);
    const alone = new SimulatedNet();
    expect(await alone.join("a").cluster.offer(message, flow)).toBe(false);
  });
});

describe("a node that has left (rule 21)", () => {
  const bodies: Partial<Record<FrameKind, Buffer>> = {
    ping: packStatus("serving"),
    announceFlows: packFlows([flow]),
    findOwner: packFlows([flow]),
    releaseFlows: packFlows([flow]),
    response: packMessage(flow, message),
    sendToPhone: packMessage(flow, message),
    offer: packMessage(flow, message),
    handOver: packMessage(flow, message),
  };

  it.each(Object.keys(bodies) as FrameKind[])(
    "does not handle a frame and does not answer it: %s",
    async (kind) => {
      a.acceptsOffered = true;
      a.cluster.claimFlow(flow);
      await net.settle();
      const body = bodies[kind] ?? Buffer.alloc(0);
      const frame = (number: number) => encodeFrame({ kind, from: b.id, number, body }, seal());
      const address = { host: "node-b", port: 7_000 };
      a.cluster.heartbeat.leave();
      await net.settle();
      const [sent, relays] = [net.sent.length, a.cluster.relays];
      a.did.length = 0;
      a.cluster.receive(frame(1_000), address);
      await net.settle();
      expect([net.sent.length - sent, a.did, a.cluster.relays]).toEqual([0, [], relays]);
      expect(a.cluster.flows.get(flow.key)?.owner).toBe(a.id);
    },
  );
});

describe("phones from outside", () => {
  it("the heartbeat says how long ago the last datagram from outside arrived, also on a known flow", async () => {
    await net.pass(1_000);
    expect(net.heartbeats.get(a.id)?.outsideReceivedAgo).toBeUndefined();
    a.cluster.claimFlow(flowOf("10.1.1.1", 5060));
    await net.pass(1_000);
    expect(net.heartbeats.get(a.id)?.outsideReceivedAgo).toBeUndefined();
    a.cluster.claimFlow(flow);
    await net.pass(10_000);
    expect(net.heartbeats.get(a.id)?.outsideReceivedAgo).toBeGreaterThan(8_000);
    a.cluster.claimFlow(flow);
    await net.pass(1_100);
    expect(net.heartbeats.get(a.id)?.outsideReceivedAgo).toBeLessThan(1_200);
  });
});
