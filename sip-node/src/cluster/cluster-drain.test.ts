/** The end of the drain of one of three nodes, on a simulated network (design-sip rule 21). */
import { beforeEach, describe, expect, it } from "vitest";
import { phoneAt, type SimulatedNode, type SimulatedNet } from "../../../test/support/simulated-net.ts";
import {
  countTaken,
  flow,
  handOverFrom,
  message,
  outcomeOn,
  sealOf,
  startThreeNodes,
} from "../../../test/support/three-nodes.ts";
import { packQuestion } from "../leases/lease-messages.ts";
import { encodeFrame, frameKinds, packNumbers } from "./frame.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Membership } from "./membership.ts";
import { PeerRequests } from "./peer-requests.ts";

let net: SimulatedNet;
let a: SimulatedNode;
let b: SimulatedNode;
let c: SimulatedNode;
beforeEach(async () => {
  ({ net, a, b, c } = await startThreeNodes());
});
const outcome = <T>(promise: Promise<T> | undefined): Promise<T | undefined> => outcomeOn(net, promise);

describe("drain (rule 21): the node is idle, and leaves", () => {
  const handed = (key: string) => handOverFrom(a, key);
  const taken = () => countTaken([b, c]);

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

  it("an announced change waits for a silent node, and for no node that has left, also if a ping of it arrives late", async () => {
    const announce = () => outcome(b.cluster.copyProtocol.announce(Buffer.alloc(0)).then(() => "done"));
    const late = { kind: "ping", from: a.id, number: 1, body: packNumbers([0, ...packQuestion(0)]) } as const;
    a.cluster.heartbeat.leave();
    await net.settle();
    net.dead.add(a.id);
    b.cluster.receive(encodeFrame(late, sealOf(net)), { host: "node-a", port: 7_000 });
    expect(await announce()).toBe("done");
    net.dead.add(c.id);
    expect(await announce()).toBeUndefined();
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
