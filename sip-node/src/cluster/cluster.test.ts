/** Three nodes on a simulated net (design-sip rules 3 to 9). */
import { beforeEach, describe, expect, it } from "vitest";
import { phoneAt, type SimulatedNode, SimulatedNet } from "../../../test/support/simulated-net.ts";
import { createSeal } from "../auth/create-seal.ts";
import { flowOf } from "../wire/flow.ts";
import { Correspondence } from "./correspondence.ts";
import { encodeFrame, type FrameKind, frameKinds, packFlows, packMessage, packStanding } from "./frame.ts";
import { Membership } from "./membership.ts";
import { Presence } from "./presence.ts";

const flow = flowOf("198.51.100.7", 4711);
const bytes = Buffer.from("MESSAGE");

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
/** Of the nodes' frames. */
const seal = () =>
  createSeal(
    [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
    "relay",
    () => net.now,
  );
/** The promise's value once the net is quiet; undefined while it is open. */
async function outcome<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  let value: T | undefined;
  void promise?.then((settled) => (value = settled));
  await net.settle();
  return value;
}

describe("liveness (rule 9)", () => {
  it("nodes meet through the table and are alive once they have answered", () => {
    expect(a.cluster.membership.alive(net.now).map(({ id }) => id)).toEqual([b.id, c.id]);
  });

  it("a greeting is over once every peer has answered, or after 100 ms of silence", async () => {
    const told = a.cluster.presence.greet().then(() => "over");
    expect(await outcome(told)).toBe("over");
    net.dead.add(c.id);
    const waiting = a.cluster.presence.greet().then(() => "over");
    expect(await outcome(waiting)).toBeUndefined();
    await net.pass(125);
    expect(await outcome(waiting)).toBe("over");
  });

  it("a silent node is dead after 3 s, not before, for everybody, and told once", async () => {
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

  it("it is alive again with its first frame", async () => {
    net.dead.add(c.id);
    await net.pass(4_000);
    net.dead.delete(c.id);
    await net.pass(1_500);
    expect(a.did).toEqual([`peer ${c.id} dead`, `peer ${c.id} alive`]);
  });

  it("while the database is away the membership stays: only pings declare a peer dead", async () => {
    net.isDatabaseAway = true;
    await net.pass(20_000);
    expect(a.cluster.membership.alive(net.now)).toHaveLength(2);
    expect(new Set(a.did)).toEqual(new Set(["directory failed"]));
  });

  it("frames of nobody, changed frames and a node's own are refused", () => {
    const before = a.cluster.relays.refused;
    for (const text of ["", "x", "INVITE sip:b@h SIP/2.0\r\n\r\n", "\x01aaaaaaaaaaaa0000................."])
      a.cluster.receive(Buffer.from(text, "latin1"), { host: "x", port: 1 });
    const own = encodeFrame({ kind: "offer", from: a.id, number: 1, body: packMessage(flow, bytes) }, seal());
    a.cluster.receive(own, { host: "node-a", port: 7_000 });
    expect([a.cluster.relays.refused - before, a.did]).toEqual([5, []]);
  });
});

describe("flows", () => {
  it("who hears a flow owns it, and sends to it at once", async () => {
    a.cluster.hear(flow);
    await net.settle();
    expect(a.cluster.deliver(phoneAt(flow), bytes)).toBeUndefined();
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });

  it("others send through the owner without asking, because its first datagram was announced", async () => {
    a.cluster.hear(flow);
    await net.settle();
    expect(await outcome(b.cluster.deliver(phoneAt(flow), bytes))).toBe(true);
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
    expect(b.cluster.relays.sent).toBe(1);
  });

  it("flows heard in one turn of the event loop go in one frame to each peer", async () => {
    const before = net.sent.length;
    for (let port = 1; port <= 50; port++) a.cluster.hear(flowOf("198.51.100.7", port));
    await net.settle();
    expect(net.sent.length - before).toBe(4); // two announcements, two answers
  });

  it("two nodes that hear one flow in the same moment agree that the lower id owns it, and a third one reaches the phone", async () => {
    a.cluster.hear(flow);
    b.cluster.hear(flow);
    await net.settle();
    const owners = [a, b].map(({ cluster }) => cluster.flows.get(flow.key)?.owner);
    expect(owners).toEqual([a.id, a.id]);
    expect(await outcome(c.cluster.deliver({ flow, isBehindNat: true, ownerNode: "" }, bytes))).toBe(true);
  });

  it("more flows than one frame holds are announced in several", async () => {
    for (let port = 1; port <= 1_200; port++) a.cluster.hear(flowOf("198.51.100.8", port));
    await net.settle();
    expect(b.cluster.flows.size).toBe(1_200);
  });

  it("a flow that moved belongs to the node that heard it last, for all", async () => {
    a.cluster.hear(flow);
    await net.settle();
    await net.pass(10_000);
    b.cluster.hear(flow);
    await net.settle();
    for (const node of [a, c]) expect(await outcome(node.cluster.deliver(phoneAt(flow), bytes))).toBe(true);
    expect(b.did).toHaveLength(2);
    expect(a.did).toEqual([]);
  });

  it.each([
    [10_000, true],
    [31_000, true],
    [33_000, false],
  ])(
    "rule 4: heard elsewhere %i ms ago, a request on it may be that node's: %s",
    async (ago, isContested) => {
      a.cluster.hear(flow);
      await net.settle();
      await net.pass(ago);
      const heard = b.cluster.hear(flow);
      expect(heard.introduction).toBeInstanceOf(Promise);
      await net.settle();
      expect(heard.introduction).toBeUndefined();
      expect(b.cluster.isContested(heard)).toBe(isContested);
      await net.pass(32_000 - Math.min(ago, 31_999));
      expect(b.cluster.isContested(heard)).toBe(false);
    },
  );

  it("a new flow is contested by nobody, also when a peer stays silent", async () => {
    net.dead.add(c.id);
    const heard = a.cluster.hear(flow);
    await net.settle();
    expect(heard.introduction).toBeInstanceOf(Promise);
    await net.pass(150);
    expect(heard.introduction).toBeUndefined();
    expect(a.cluster.isContested(heard)).toBe(false);
  });

  it("a phone that moved away leaves its old flow without an owner, until it is heard there again", async () => {
    a.cluster.hear(flow);
    await net.settle();
    b.cluster.moved([flow]);
    await net.settle();
    for (const node of [a, b, c]) expect(node.cluster.isReachable(flow)).toBe(false);
    a.cluster.hear(flow);
    await net.settle();
    for (const node of [a, b, c]) expect(node.cluster.isReachable(flow)).toBe(true);
  });

  it("a known phone's flow that moves is a known phone's on its new node, for as long", async () => {
    a.cluster.hear(flow);
    await net.settle();
    a.cluster.markAuthenticated(flow, 100_000);
    await net.pass(1_000);
    b.cluster.hear(flow);
    b.cluster.hear(flowOf("198.51.100.9", 1));
    await net.settle();
    expect(b.cluster.flows.get(flow.key)?.authenticatedUntil).toBe(net.now + 99_000);
    expect(b.cluster.flows.get("udp:198.51.100.9:1")?.authenticatedUntil).toBe(0);
  });

  it("a flow that was silent for longer than 320 s is announced again, one that was not is not", async () => {
    const announced = () => net.sent.filter((kind) => kind === frameKinds.heard).length;
    a.cluster.hear(flow);
    await net.settle();
    for (const [silence, more] of [
      [319_000, 0],
      [321_000, 2],
    ] as const) {
      await net.pass(silence);
      const before = announced();
      a.cluster.hear(flow);
      await net.settle();
      expect(announced() - before).toBe(more);
    }
  });

  it("with a shared port flows are announced for 32 s after a node came or went", async () => {
    const shared = new SimulatedNet();
    const [one, two] = [shared.join("a", true), shared.join("b", true)];
    await shared.pass(40_000);
    const announced = async (port: number) => {
      const before = shared.sent.filter((kind) => kind === frameKinds.heard).length;
      one.cluster.hear(flowOf("192.0.2.9", port));
      await shared.settle();
      return shared.sent.filter((kind) => kind === frameKinds.heard).length - before;
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

  it("with a shared port nothing is announced and everybody sends", async () => {
    const shared = new SimulatedNet();
    const [one] = [shared.join("a", true), shared.join("b", true)];
    await shared.pass(40_000);
    const before = shared.sent.length;
    one.cluster.hear(flow);
    await shared.settle();
    expect(shared.sent.length).toBe(before);
    one.did.length = 0;
    expect(one.cluster.deliver(phoneAt(flowOf("192.0.2.9", 9)), bytes)).toBeUndefined();
    expect(one.did).toHaveLength(1);
  });
});

describe("bytes to a phone (rules 6 and 7)", () => {
  it("the hint of a row or token is tried where this node has forgotten the owner", async () => {
    a.cluster.hear(flow);
    await net.settle();
    b.cluster.flows.note(flow, "", net.now);
    expect(await outcome(b.cluster.deliver(phoneAt(flow, a.id), bytes))).toBe(true);
    expect(a.did).toHaveLength(1);
  });

  it("a hint that is wrong costs a question to all, and finds the owner", async () => {
    a.cluster.hear(flow);
    await net.settle();
    b.cluster.flows.note(flow, "", net.now);
    expect(await outcome(b.cluster.deliver(phoneAt(flow, c.id), bytes))).toBe(true);
    expect(a.did).toHaveLength(1);
    expect(c.did).toEqual([]);
  });

  it("a lost relay is asked for again after 100 ms", async () => {
    a.cluster.hear(flow);
    await net.settle();
    net.lose.set(frameKinds.send, 1);
    const sent = b.cluster.deliver(phoneAt(flow), bytes);
    expect(await outcome(sent)).toBeUndefined();
    await net.pass(150);
    expect(await outcome(sent)).toBe(true);
    expect(a.did).toHaveLength(1);
  });

  it("a relay whose answer is lost is asked for again, and the phone gets it once", async () => {
    a.cluster.hear(flow);
    await net.settle();
    net.lose.set(frameKinds.answer, 1);
    const sent = b.cluster.deliver(phoneAt(flow), bytes);
    await net.pass(150);
    expect(await outcome(sent)).toBe(true);
    expect(net.sent.filter((kind) => kind === frameKinds.send)).toHaveLength(2);
    expect(a.did).toHaveLength(1);
    expect(await outcome(b.cluster.deliver(phoneAt(flow), bytes))).toBe(true);
    expect(a.did).toHaveLength(2);
  });

  it("rule 7: without an owner, a phone without NAT is tried from the second socket", async () => {
    expect(await outcome(a.cluster.deliver(phoneAt(flow, "", false), bytes))).toBe(true);
    expect(a.did).toEqual([`directly ${flow.key}: MESSAGE`]);
  });

  it("a flow that this node had to forget is sent to where a row names this node and nobody knows better", async () => {
    expect(await outcome(a.cluster.deliver(phoneAt(flow, a.id), bytes))).toBe(true);
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
    a.did.length = 0;
    b.cluster.hear(flow);
    await net.settle();
    expect(await outcome(a.cluster.deliver(phoneAt(flow, a.id), bytes))).toBe(true);
    expect([a.did, b.did]).toEqual([[], [`to phone ${flow.key}: MESSAGE`]]);
  });

  it("but not where its phone has left it", async () => {
    a.cluster.moved([flow]);
    expect(await outcome(a.cluster.deliver(phoneAt(flow, a.id), bytes))).toBeUndefined();
    expect(a.did).toEqual([]);
  });

  it("rule 7, P4: behind NAT it waits for the phone's next datagram, on whatever node", async () => {
    a.cluster.hear(flow);
    await net.settle();
    net.dead.add(a.id);
    await net.pass(4_000);
    const sent = b.cluster.deliver(phoneAt(flow, a.id), bytes);
    await net.pass(10_000);
    expect(await outcome(sent)).toBeUndefined();
    c.cluster.hear(flow);
    expect(await outcome(sent)).toBe(true);
    expect(c.did.filter((what) => what.startsWith("to phone"))).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });

  it("at most 25 s", async () => {
    const sent = b.cluster.deliver(phoneAt(flow), bytes);
    await net.settle();
    await net.pass(24_000);
    expect(await outcome(sent)).toBeUndefined();
    await net.pass(2_000);
    expect(await outcome(sent)).toBe(false);
  });

  it("a retransmission of what waits does not wait twice", async () => {
    void b.cluster.deliver(phoneAt(flow), bytes);
    await net.settle();
    void b.cluster.deliver(phoneAt(flow), bytes);
    await net.settle();
    b.cluster.hear(flow);
    await net.settle();
    expect(b.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });
});

describe("messages of another node's transactions", () => {
  it("rule 3: a response goes to the node that its branch names, once", async () => {
    expect(a.cluster.passOn(b.id, bytes, flow)).toBe(true);
    await net.settle();
    expect(b.did).toEqual([`response ${flow.key}: MESSAGE`]);
    expect(c.did).toEqual([]);
    expect([a.cluster.relays.sent, b.cluster.relays.received]).toEqual([1, 1]);
  });

  it("not to a node that is dead or unknown", async () => {
    net.dead.add(b.id);
    await net.pass(4_000);
    expect(a.cluster.passOn(b.id, bytes, flow)).toBe(false);
    expect(a.cluster.passOn("f".repeat(12), bytes, flow)).toBe(false);
  });

  it("receipts of responses leave together within 100 ms", async () => {
    for (let i = 0; i < 5; i++) a.cluster.passOn(b.id, bytes, flow);
    await net.settle();
    await net.pass(75);
    expect(net.sent.filter((kind) => kind === frameKinds.receipt)).toHaveLength(1);
  });

  it("rule 4: a CANCEL or ACK is offered to all, and taken by its holder", async () => {
    c.takesOffers = true;
    expect(await outcome(a.cluster.offer(bytes, flow))).toBe(true);
    expect([b.did, c.did]).toEqual([[`offered ${flow.key}: MESSAGE`], [`offered ${flow.key}: MESSAGE`]]);
  });

  it("refused by all, or by nobody there, it is nobody's; silence counts after 100 ms", async () => {
    expect(await outcome(a.cluster.offer(bytes, flow))).toBe(false);
    net.lose.set(frameKinds.offer, 1);
    const offered = a.cluster.offer(bytes, flow);
    expect(await outcome(offered)).toBeUndefined();
    await net.pass(150);
    expect(await outcome(offered)).toBe(false);
    const alone = new SimulatedNet();
    expect(await alone.join("a").cluster.offer(bytes, flow)).toBe(false);
  });
});

describe("drain (rule 21)", () => {
  const handed = (key: string) => {
    const served: string[] = [];
    const serve = () => void served.push(key);
    a.cluster.handOver.hand({ key, bytes, flow, isHeld: undefined, serve });
    return served;
  };
  const taken = () => [b, c].map(({ did }) => did.filter((what) => what.startsWith("handed")).length);

  it("the table and all peers hear of it at once", async () => {
    a.cluster.presence.drain();
    await net.settle();
    expect(net.beats.get(a.id)?.isDraining).toBe(true);
    for (const { cluster } of [b, c])
      expect(cluster.membership.serving(net.now).map(({ id }) => id)).not.toContain(a.id);
    expect(b.cluster.membership.isAlive(a.id, net.now)).toBe(true);
  });

  it("a node that joins hears of it with its first ping", async () => {
    a.cluster.presence.drain();
    const d = net.join("d");
    await net.pass(1_100);
    expect(d.cluster.membership.serving(net.now).map(({ id }) => id)).toEqual([b.id, c.id]);
  });

  it("a request goes to one peer, whose bytes to that phone come back through this node", async () => {
    a.cluster.hear(flow);
    await net.settle();
    b.cluster.flows.note(flow, "", net.now);
    c.cluster.flows.note(flow, "", net.now);
    expect(handed("key")).toEqual([]);
    await net.settle();
    expect(taken().toSorted()).toEqual([0, 1]);
    const chosen = taken()[0] === 1 ? b : c;
    expect(await outcome(chosen.cluster.deliver(phoneAt(flow), bytes))).toBe(true);
    expect(a.did).toEqual([`to phone ${flow.key}: MESSAGE`]);
  });

  it("refused by one, it goes to the other; refused by both, it is served here", async () => {
    b.takesHanded = false;
    const served = Array.from({ length: 8 }, (_, i) => handed(`key ${i}`));
    await net.settle();
    expect([served.flat(), c.did.length]).toEqual([[], 8]);
    c.takesHanded = false;
    const last = handed("last");
    await net.settle();
    expect(last).toEqual(["last"]);
  });

  it("with 10,000 requests waiting for their peer, the next is served here", async () => {
    const waiting = Array.from({ length: 10_000 }, (_, i) => handed(`key ${i}`));
    expect([handed("key 7"), handed("one more")]).toEqual([[], ["one more"]]);
    await net.settle();
    expect(handed("later")).toEqual([]);
    expect(waiting.flat()).toEqual([]);
    await net.settle();
  });

  it("a peer that lives and stays silent may have it: it is asked again until 3 s are over, then it is served here and nowhere else", async () => {
    net.lose.set(frameKinds.hand, 30);
    const before = net.sent.filter((kind) => kind === frameKinds.hand).length;
    const served = handed("key");
    await net.pass(2_900);
    expect(served).toEqual([]);
    await net.pass(300);
    expect(served).toEqual(["key"]);
    await net.pass(3_500);
    expect([taken(), served]).toEqual([[0, 0], ["key"]]);
    const asked = net.sent.filter((kind) => kind === frameKinds.hand).length - before;
    expect(asked).toBeGreaterThan(20);
    expect(asked).toBeLessThanOrEqual(30);
  });

  it("a peer whose answer was lost is asked again and says the same: it serves it once", async () => {
    net.lose.set(frameKinds.answer, 1);
    const served = handed("key");
    await net.pass(500);
    expect([taken().toSorted(), served]).toEqual([[0, 1], []]);
    expect(await outcome(a.cluster.handOver.follow("key", bytes, flow))).toBe(true);
  });

  it("a CANCEL goes where its INVITE went, and nowhere when that is here or nobody knows it", async () => {
    expect(await outcome(a.cluster.handOver.follow("unknown", bytes, flow))).toBe(false);
    handed("key");
    const followed = a.cluster.handOver.follow("key", bytes, flow);
    await net.pass(50);
    expect(await outcome(followed)).toBe(true);
    expect(taken().toSorted()).toEqual([0, 2]);
    for (const node of [b, c]) node.takesHanded = false;
    handed("here");
    await net.pass(50);
    expect(await outcome(a.cluster.handOver.follow("here", bytes, flow))).toBe(false);
  });

  it("it is idle when each peer has said, after the last request, that it holds nothing for this node", async () => {
    expect(a.cluster.isIdle).toBe(true);
    handed("key");
    expect(a.cluster.isIdle).toBe(false);
    await net.settle();
    const release = (taken()[0] === 1 ? b : c).cluster.admit(a.id);
    await net.pass(2_000);
    expect(a.cluster.isIdle).toBe(false);
    release();
    await net.pass(600);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("a ping overtakes the request: its answer says nothing about that", async () => {
    handed("key");
    for (let turn = 0; turn < 5; turn++) await Promise.resolve(); // it is on its way
    for (const { id } of [b, c]) a.cluster.handOver.told(id, 0, net.now + 1);
    await net.settle();
    expect([taken().toSorted(), a.cluster.isIdle]).toEqual([[0, 1], false]);
    await net.pass(1_100);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("nor while a message waits for a phone that only this node may hear", async () => {
    const sent = a.cluster.deliver(phoneAt(flow), bytes);
    await net.settle();
    expect(a.cluster.isIdle).toBe(false);
    a.cluster.hear(flow);
    expect([await outcome(sent), a.cluster.isIdle]).toEqual([true, true]);
  });

  it.each([
    [900, "of the peer itself"],
    [1_100, "of the draining node"],
  ])(
    "a peer that heard the flow %i ms before a request on it is handed over takes it for a flow %s",
    async (ago, whose) => {
      for (const { cluster } of [b, c])
        cluster.flows.note(flow, cluster === b.cluster ? b.id : c.id, net.now - ago);
      handed("key");
      await net.settle();
      const chosen = taken()[0] === 1 ? b : c;
      const owner = chosen.cluster.flows.get(flow.key)?.owner;
      expect(owner).toBe(whose === "of the peer itself" ? chosen.id : a.id);
    },
  );

  it("the flow of a request handed over is the draining node's for the peer that serves it", async () => {
    handed("key");
    await net.settle();
    const chosen = taken()[0] === 1 ? b : c;
    expect(chosen.cluster.flows.get(flow.key)?.owner).toBe(a.id);
  });

  it("who serves requests on a flow says so to the node that hears it next, though it never heard it itself", async () => {
    handed("key");
    await net.settle();
    const [chosen, other] = taken()[0] === 1 ? [b, c] : [c, b];
    await net.pass(2_000);
    const heard = other.cluster.hear(flow);
    await net.settle();
    expect(other.cluster.isContested(heard)).toBe(true);
    await net.pass(30_100);
    expect([chosen.did.length, other.cluster.isContested(heard)]).toEqual([1, false]);
  });

  it("a request that is too long for a frame is served here", async () => {
    const serve = (length: number) => {
      const served: number[] = [];
      const long = Buffer.alloc(length, "x");
      const done = () => void served.push(length);
      a.cluster.handOver.hand({ key: `${length}`, bytes: long, flow, isHeld: undefined, serve: done });
      return served;
    };
    const fits = 60_000 - 1 - flow.key.length;
    const [shorter, longer] = [serve(fits), serve(fits + 1)];
    await net.settle();
    expect([shorter, longer, taken().toSorted()]).toEqual([[], [fits + 1], [0, 1]]);
  });

  it("a request that comes again goes where it went, though that peer holds it by now", async () => {
    handed("key");
    await net.settle();
    const serve = () => {
      throw new Error("served here");
    };
    a.cluster.handOver.hand({ key: "key", bytes, flow, isHeld: Promise.resolve(true), serve });
    await net.settle();
    expect(taken().toSorted()).toEqual([0, 2]);
    expect(await outcome(a.cluster.handOver.follow("key", bytes, flow))).toBe(true);
  });

  it("one that a peer held before goes nowhere, and neither does what belongs to it", async () => {
    const served: string[] = [];
    const serve = () => void served.push("key");
    a.cluster.handOver.hand({ key: "key", bytes, flow, isHeld: Promise.resolve(true), serve });
    await net.settle();
    expect([served, taken()]).toEqual([[], [0, 0]]);
    expect(await outcome(a.cluster.handOver.follow("key", bytes, flow))).toBe(false);
  });

  it("what a peer said of itself before it was given something counts for nothing", async () => {
    handed("key");
    await net.settle();
    for (const { id } of [b, c]) a.cluster.handOver.told(id, 0, net.now - 1);
    expect(a.cluster.isIdle).toBe(false);
    for (const { id } of [b, c]) a.cluster.handOver.told(id, 0, net.now + 1);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("its row goes after the beats that are under way", async () => {
    const written: string[] = [];
    const waiting: (() => void)[] = [];
    const directory = {
      beat: () =>
        new Promise<[]>((done) =>
          waiting.push(() => {
            written.push("beat");
            done([]);
          }),
        ),
      leave: async () => void written.push("gone"),
    };
    const self = { id: "d".repeat(12), address: { host: "d", port: 1 } };
    const letters = new Correspondence(self.id, { seal: () => "", isSealed: () => false }, () => {});
    const user = {
      about: () => ({
        figures: { transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 },
        outsideHeardAgo: undefined,
      }),
      peerChanged: () => {},
      directoryFailed: () => {},
      told: () => {},
    };
    const clock = { now: () => net.now, defer: (act: () => void) => act() };
    const presence = new Presence(self, new Membership(), letters, directory, clock, user);
    void presence.beat();
    presence.drain();
    const gone = presence.unlist();
    for (const finish of waiting.toReversed()) finish();
    await gone;
    expect(written).toEqual(["beat", "beat", "gone"]);
  });

  it("a peer that dies holds nothing any more", async () => {
    handed("key");
    await net.settle();
    for (const { cluster } of [b, c]) cluster.admit(a.id);
    for (const { id } of [b, c]) net.dead.add(id);
    await net.pass(3_600);
    expect(a.cluster.isIdle).toBe(true);
  });

  it("who has left is pinged no more", async () => {
    const pings = async () => {
      const before = net.sent.filter((kind) => kind === frameKinds.ping).length;
      await net.pass(1_000);
      return net.sent.filter((kind) => kind === frameKinds.ping).length - before;
    };
    net.dead.add(a.id);
    expect(await pings()).toBe(8); // b and c ping two peers each, twice a second
    net.dead.delete(a.id);
    a.cluster.presence.leave();
    await net.settle();
    net.dead.add(a.id);
    expect(await pings()).toBe(4);
  });

  it("who has left is dead for all at once, and hears nobody", async () => {
    a.cluster.presence.leave();
    await net.settle();
    expect(b.cluster.membership.isAlive(a.id, net.now)).toBe(false);
    expect(b.did).toEqual([`peer ${a.id} dead`]);
    await net.pass(2_000);
    expect(b.did).toHaveLength(1);
  });
});

describe("who has left (rule 21)", () => {
  const bodies: Partial<Record<FrameKind, Buffer>> = {
    ping: packStanding("serves"),
    heard: packFlows([flow]),
    whoHeard: packFlows([flow]),
    moved: packFlows([flow]),
    response: packMessage(flow, bytes),
    send: packMessage(flow, bytes),
    offer: packMessage(flow, bytes),
    hand: packMessage(flow, bytes),
  };

  it.each(Object.keys(bodies) as FrameKind[])(
    "does not act on a frame any more, nor answer it: %s",
    async (kind) => {
      a.takesOffers = true;
      a.cluster.hear(flow);
      await net.settle();
      const body = bodies[kind] ?? Buffer.alloc(0);
      const frame = (number: number) => encodeFrame({ kind, from: b.id, number, body }, seal());
      const address = { host: "node-b", port: 7_000 };
      a.cluster.presence.leave();
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
  it("the beat says how long ago one was heard, known flows too", async () => {
    await net.pass(1_000);
    expect(net.beats.get(a.id)?.outsideHeardAgo).toBeUndefined();
    a.cluster.hear(flowOf("10.1.1.1", 5060));
    await net.pass(1_000);
    expect(net.beats.get(a.id)?.outsideHeardAgo).toBeUndefined();
    a.cluster.hear(flow);
    await net.pass(10_000);
    expect(net.beats.get(a.id)?.outsideHeardAgo).toBeGreaterThan(8_000);
    a.cluster.hear(flow);
    await net.pass(1_100);
    expect(net.beats.get(a.id)?.outsideHeardAgo).toBeLessThan(1_200);
  });
});
