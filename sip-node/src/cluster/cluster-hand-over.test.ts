/** A draining node of three hands its requests over, on a simulated network (design-sip rule 21). */
import { beforeEach, describe, expect, it } from "vitest";
import { phoneAt, type SimulatedNode, type SimulatedNet } from "../../../test/support/simulated-net.ts";
import {
  countTaken,
  flow,
  handOverFrom,
  message,
  outcomeOn,
  startThreeNodes,
} from "../../../test/support/three-nodes.ts";
import { frameKinds } from "./frame.ts";

let net: SimulatedNet;
let a: SimulatedNode;
let b: SimulatedNode;
let c: SimulatedNode;
beforeEach(async () => {
  ({ net, a, b, c } = await startThreeNodes());
});
const outcome = <T>(promise: Promise<T> | undefined): Promise<T | undefined> => outcomeOn(net, promise);

describe("drain (rule 21): requests are handed over", () => {
  const handed = (key: string) => handOverFrom(a, key);
  const taken = () => countTaken([b, c]);

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
});
