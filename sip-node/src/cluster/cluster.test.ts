/** Three nodes on a simulated network (design-sip rules 3 to 9 and 21). */
import { beforeEach, describe, expect, it } from "vitest";
import { phoneAt, type SimulatedNode, SimulatedNet } from "../../../test/support/simulated-net.ts";
import { createSeal } from "../auth/create-seal.ts";
import { flowOf } from "../wire/flow.ts";
import { encodeFrame, type FrameKind, frameKinds, packFlows, packMessage, packStatus } from "./frame.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Membership } from "./membership.ts";
import { PeerRequests } from "./peer-requests.ts";

const flow = flowOf("198.51.100.7", 4711);
const message = "MESSAGE";

let net: SimulatedNet;
let a: SimulatedNode;
let b: SimulatedNode;
let c: SimulatedNode;
beforeEach(async () => {
  net = new SimulatedNet();
  [a, b, c] = [net.join("a"), net.join("b"), net.join("c")];
  await net.pass(2_500);
  for (const { did } of [a, b, c]) did.length = 0;
});
/** The seal of the nodes' frames. */
const seal = () =>
  createSeal(
    [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
    "relay",
    () => net.now,
  );
/** The promise's value when no datagram is under way; undefined: it is pending. */
async function outcome<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  let value: T | undefined;
  void promise?.then((settled) => (value = settled));
  await net.settle();
  return value;
}

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

  it("unsealed message, changed frames and the node's own frames are refused", () => {
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

  it("a sendToPhone frame whose answer is lost is sent again, and the phone gets the message once", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    net.lose.set(frameKinds.answer, 1);
    const sent = b.cluster.deliver(phoneAt(flow), message);
    await net.pass(150);
    expect(await outcome(sent)).toBe(true);
    expect(net.sent.filter((kind) => kind === frameKinds.sendToPhone)).toHaveLength(2);
    expect(a.did).toHaveLength(1);
    expect(await outcome(b.cluster.deliver(phoneAt(flow), message))).toBe(true);
    expect(a.did).toHaveLength(2);
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

describe("drain (rule 21)", () => {
  const handed = (key: string) => {
    const served: string[] = [];
    const serve = () => void served.push(key);
    a.cluster.handOver.start({ key, datagram: message, flow, isHeld: undefined, serve });
    return served;
  };
  const taken = () => [b, c].map(({ did }) => did.filter((what) => what.startsWith("handed over")).length);

  it("the table and all peers are notified at once", async () => {
    a.cluster.heartbeat.drain();
    await net.settle();
    expect(net.heartbeats.get(a.id)?.isDraining).toBe(true);
    for (const { cluster } of [b, c])
      expect(cluster.membership.serving(net.now).map(({ id }) => id)).not.toContain(a.id);
    expect(b.cluster.membership.isAlive(a.id, net.now)).toBe(true);
  });

  it("a node that joins learns it from its first ping", async () => {
    a.cluster.heartbeat.drain();
    const d = net.join("d");
    await net.pass(1_100);
    expect(d.cluster.membership.serving(net.now).map(({ id }) => id)).toEqual([b.id, c.id]);
  });

  it("a request goes to one peer, whose messages to that phone come back through this node", async () => {
    a.cluster.claimFlow(flow);
    await net.settle();
    b.cluster.flows.record(flow, "", net.now);
    c.cluster.flows.record(flow, "", net.now);
    expect(handed("key")).toEqual([]);
    await net.settle();
    expect(taken().toSorted()).toEqual([0, 1]);
    const chosen = taken()[0] === 1 ? b : c;
    expect(await outcome(chosen.cluster.deliver(phoneAt(flow), message))).toBe(true);
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });

  it("a request that one peer refuses goes to the other; refused by both, it is served here", async () => {
    b.acceptsHandedOver = false;
    const served = Array.from({ length: 8 }, (_, i) => handed(`key ${i}`));
    await net.settle();
    expect([served.flat(), c.did.length]).toEqual([[], 8]);
    c.acceptsHandedOver = false;
    const last = handed("last");
    await net.settle();
    expect(last).toEqual(["last"]);
  });

  it("while 10,000 requests wait for an answer, the next one is served here", async () => {
    const waiting = Array.from({ length: 10_000 }, (_, i) => handed(`key ${i}`));
    expect([handed("key 7"), handed("one more")]).toEqual([[], ["one more"]]);
    await net.settle();
    expect(handed("later")).toEqual([]);
    expect(waiting.flat()).toEqual([]);
    await net.settle();
  });

  it("a live peer that is silent may have accepted the request: it is asked again for 3 s, then the request is served here only", async () => {
    net.lose.set(frameKinds.handOver, 30);
    const before = net.sent.filter((kind) => kind === frameKinds.handOver).length;
    const served = handed("key");
    await net.pass(2_900);
    expect(served).toEqual([]);
    await net.pass(300);
    expect(served).toEqual(["key"]);
    await net.pass(3_500);
    expect([taken(), served]).toEqual([[0, 0], ["key"]]);
    const asked = net.sent.filter((kind) => kind === frameKinds.handOver).length - before;
    expect(asked).toBeGreaterThan(20);
    expect(asked).toBeLessThanOrEqual(30);
  });

  it("a peer whose answer was lost is asked again and gives the same answer: it serves the request once", async () => {
    net.lose.set(frameKinds.answer, 1);
    const served = handed("key");
    await net.pass(500);
    expect([taken().toSorted(), served]).toEqual([[0, 1], []]);
    expect(await outcome(a.cluster.handOver.follow("key", message, flow))).toBe(true);
  });

  it("a CANCEL follows its INVITE, and goes to no peer when the INVITE is served here or unknown", async () => {
    expect(await outcome(a.cluster.handOver.follow("unknown", message, flow))).toBe(false);
    handed("key");
    const followed = a.cluster.handOver.follow("key", message, flow);
    await net.pass(50);
    expect(await outcome(followed)).toBe(true);
    expect(taken().toSorted()).toEqual([0, 2]);
    for (const node of [b, c]) node.acceptsHandedOver = false;
    handed("here");
    await net.pass(50);
    expect(await outcome(a.cluster.handOver.follow("here", message, flow))).toBe(false);
  });

  it("it is idle when each peer has answered, after the last request, that it holds no transaction for this node", async () => {
    expect(a.cluster.isIdle).toBe(true);
    handed("key");
    expect(a.cluster.isIdle).toBe(false);
    await net.settle();
    const release = (taken()[0] === 1 ? b : c).cluster.beginHandedOver(a.id);
    await net.pass(2_000);
    expect(a.cluster.isIdle).toBe(false);
    release();
    await net.pass(600);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("a ping may overtake the request: its answer does not count", async () => {
    handed("key");
    for (let turn = 0; turn < 5; turn++) await Promise.resolve(); // it is on its way
    for (const { id } of [b, c]) a.cluster.handOver.recordHeld(id, 0, net.now + 1);
    await net.settle();
    expect([taken().toSorted(), a.cluster.isIdle]).toEqual([[0, 1], false]);
    await net.pass(1_100);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("it is not idle while a message waits for a phone", async () => {
    const sent = a.cluster.deliver(phoneAt(flow), message);
    await net.settle();
    expect(a.cluster.isIdle).toBe(false);
    a.cluster.claimFlow(flow);
    expect([await outcome(sent), a.cluster.isIdle]).toEqual([true, true]);
  });

  it.each([
    [900, "of the peer itself"],
    [1_100, "of the draining node"],
  ])(
    "a peer that received from the flow %i ms before a request on it is handed over counts it as a flow %s",
    async (ago, whose) => {
      for (const { cluster } of [b, c])
        cluster.flows.record(flow, cluster === b.cluster ? b.id : c.id, net.now - ago);
      handed("key");
      await net.settle();
      const chosen = taken()[0] === 1 ? b : c;
      const owner = chosen.cluster.flows.get(flow.key)?.owner;
      expect(owner).toBe(whose === "of the peer itself" ? chosen.id : a.id);
    },
  );

  it("the peer that serves a request counts its flow as the draining node's", async () => {
    handed("key");
    await net.settle();
    const chosen = taken()[0] === 1 ? b : c;
    expect(chosen.cluster.flows.get(flow.key)?.owner).toBe(a.id);
  });

  it("a peer that served a request on a flow reports it to the flow's next owner, though it never received from the flow", async () => {
    handed("key");
    await net.settle();
    const [chosen, other] = taken()[0] === 1 ? [b, c] : [c, b];
    await net.pass(2_000);
    const known = other.cluster.claimFlow(flow);
    await net.settle();
    expect(other.cluster.mustAskPeers(known)).toBe(true);
    await net.pass(30_100);
    expect([chosen.did.length, other.cluster.mustAskPeers(known)]).toEqual([1, false]);
  });

  it("a request that is too long for a frame is served here", async () => {
    const serve = (length: number) => {
      const served: number[] = [];
      const long = "x".repeat(length);
      const done = () => void served.push(length);
      a.cluster.handOver.start({ key: `${length}`, datagram: long, flow, isHeld: undefined, serve: done });
      return served;
    };
    const fits = 60_000 - 1 - flow.key.length;
    const [shorter, longer] = [serve(fits), serve(fits + 1)];
    await net.settle();
    expect([shorter, longer, taken().toSorted()]).toEqual([[], [fits + 1], [0, 1]]);
  });

  it("a repeated request goes to the same peer, which holds it now", async () => {
    handed("key");
    await net.settle();
    const serve = () => {
      throw new Error("served here");
    };
    a.cluster.handOver.start({ key: "key", datagram: message, flow, isHeld: Promise.resolve(true), serve });
    await net.settle();
    expect(taken().toSorted()).toEqual([0, 2]);
    expect(await outcome(a.cluster.handOver.follow("key", message, flow))).toBe(true);
  });

  it("a request that a peer held before is not handed over, and later messages of its transaction are not either", async () => {
    const served: string[] = [];
    const serve = () => void served.push("key");
    a.cluster.handOver.start({ key: "key", datagram: message, flow, isHeld: Promise.resolve(true), serve });
    await net.settle();
    expect([served, taken()]).toEqual([[], [0, 0]]);
    expect(await outcome(a.cluster.handOver.follow("key", message, flow))).toBe(false);
  });

  it("the answer to a ping that was sent before the request does not count", async () => {
    handed("key");
    await net.settle();
    for (const { id } of [b, c]) a.cluster.handOver.recordHeld(id, 0, net.now - 1);
    expect(a.cluster.isIdle).toBe(false);
    for (const { id } of [b, c]) a.cluster.handOver.recordHeld(id, 0, net.now + 1);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("its row is removed after all pending heartbeats", async () => {
    const written: string[] = [];
    const waiting: (() => void)[] = [];
    const write = () =>
      new Promise<void>((done) =>
        waiting.push(() => {
          written.push("heartbeat");
          done();
        }),
      );
    const self = { id: "d".repeat(12), address: { host: "d", port: 1 } };
    const directory = {
      ...{ join: write, beat: write, list: async () => [{ ...self, isGone: false, isStale: false }] },
      markGone: async () => {},
      remove: async () => void written.push("removed"),
    };
    const heartbeat = new Heartbeat(self, {
      directory,
      leases: net.join("d").cluster.copyProtocol.leases,
      membership: new Membership(),
      peerRequests: new PeerRequests(self.id, {
        seal: { seal: () => "", isSealed: () => false },
        sendToPeer: () => {},
      }),
      clock: { now: () => net.now, defer: (act: () => void) => act() },
      observer: { peerChanged: () => {}, directoryFailed: () => {} },
      measure: () => ({
        load: { transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 },
        outsideReceivedAgo: undefined,
      }),
      recordHeld: () => {},
    });
    void heartbeat.writeHeartbeat();
    heartbeat.drain();
    const removed = heartbeat.removeRow();
    for (let cycle = 0; cycle < 2; cycle++) {
      await net.settle();
      waiting.shift()?.();
    }
    await removed;
    expect(written).toEqual(["heartbeat", "heartbeat", "removed"]);
  });

  it("a dead peer holds no transaction", async () => {
    handed("key");
    await net.settle();
    for (const { cluster } of [b, c]) cluster.beginHandedOver(a.id);
    for (const { id } of [b, c]) net.dead.add(id);
    await net.pass(3_600);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("a node that has left is not pinged", async () => {
    const pings = async () => {
      const before = net.sent.filter((kind) => kind === frameKinds.ping).length;
      await net.pass(1_000);
      return net.sent.filter((kind) => kind === frameKinds.ping).length - before;
    };
    net.dead.add(a.id);
    expect(await pings()).toBe(8); // b and c ping two peers each, twice a second
    net.dead.delete(a.id);
    a.cluster.heartbeat.leave();
    await net.settle();
    net.dead.add(a.id);
    expect(await pings()).toBe(4);
  });

  it("a node that has left is dead for all peers at once, and receives no frame", async () => {
    a.cluster.heartbeat.leave();
    await net.settle();
    expect(b.cluster.membership.isAlive(a.id, net.now)).toBe(false);
    expect(b.did).toEqual([`peer ${a.id} dead`]);
    await net.pass(2_000);
    expect(b.did).toHaveLength(1);
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
