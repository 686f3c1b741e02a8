/** Frames, membership, parking and correspondence by themselves. */
import { describe, expect, it, vi } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { flowOf } from "../wire/flow.ts";
import { AnswersGiven } from "./answers-given.ts";
import { Correspondence } from "./correspondence.ts";
import {
  decodeFrame,
  encodeFrame,
  type FrameKind,
  frameKinds,
  packFlows,
  packMessage,
  packWords,
  taken,
  unpackFlows,
  unpackMessage,
  unpackWords,
} from "./frame.ts";
import { Guests } from "./guests.ts";
import { HandOver } from "./hand-over.ts";
import { Membership } from "./membership.ts";
import { Parking } from "./parking.ts";
import { Presence } from "./presence.ts";

const keyOf = (seed: string) => [
  { id: "k", key: Buffer.alloc(32, seed), verifyFrom: 0, signFrom: 0, dropAfter: Infinity },
];
const seal = createSeal(keyOf("a"), "relay", () => 1);
const from = "0123456789ab";
const flow = flowOf("192.0.2.1", 5060);

describe("frames", () => {
  it.each(Object.keys(frameKinds) as FrameKind[])("%s comes back as it was", (kind) => {
    const frame = { kind, from, number: 4_294_967_295, body: Buffer.from([0, 255, 13, 10]) };
    expect(decodeFrame(encodeFrame(frame, seal), seal)).toEqual(frame);
  });

  it("every kind has a byte of its own", () => {
    expect(new Set(Object.values(frameKinds)).size).toBe(Object.keys(frameKinds).length);
  });

  it("no byte can be changed, cut or added, and no other cluster's key opens it", () => {
    const bytes = encodeFrame({ kind: "send", from, number: 1, body: Buffer.from("x") }, seal);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(decodeFrame(changed, seal), String(i)).toBeUndefined();
      expect(decodeFrame(bytes.subarray(0, i), seal), String(i)).toBeUndefined();
    }
    expect(decodeFrame(Buffer.concat([bytes, Buffer.from("x")]), seal)).toBeUndefined();
    expect(
      decodeFrame(
        bytes,
        createSeal(keyOf("b"), "relay", () => 1),
      ),
    ).toBeUndefined();
    expect(
      decodeFrame(
        bytes,
        createSeal(keyOf("a"), "branch", () => 1),
      ),
    ).toBeUndefined();
  });

  it("a sealed frame that is too short for its head is none", () => {
    for (let length = 1; length < 17; length++) {
      const head = Buffer.alloc(length, 1);
      const sealed = Buffer.concat([head, Buffer.from(seal.seal(head), "latin1")]);
      expect(decodeFrame(sealed, seal), String(length)).toBeUndefined();
    }
  });

  it("bodies: messages with their flow, flows, words", () => {
    const long = flowOf("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65_535);
    for (const one of [flow, long]) {
      expect(unpackMessage(packMessage(one, Buffer.from("INVITE")))).toEqual({
        flow: one,
        bytes: Buffer.from("INVITE"),
      });
      expect(unpackFlows(packFlows([one, flow]))).toEqual([one, flow]);
    }
    expect(unpackWords(packWords([0, 1, 2 ** 40]))).toEqual([0, 1, 0xffff_ffff]);
    expect(unpackMessage(Buffer.from("\x05abc"))).toBeUndefined();
    expect([unpackFlows(Buffer.alloc(0)), unpackWords(Buffer.from([1, 2, 3]))]).toEqual([[], []]);
  });
});

describe("Membership", () => {
  const address = { host: "h", port: 1 };

  it("who is introduced is known and not alive; a frame proves life for 3 s", () => {
    const membership = new Membership();
    membership.introduce("a", address, 0);
    expect([membership.all().length, membership.alive(0).length]).toEqual([1, 0]);
    expect(membership.heard("a", address, 100)).toBe(true);
    expect(membership.heard("a", address, 200)).toBe(false);
    expect([membership.isAlive("a", 3_199), membership.isAlive("a", 3_200)]).toEqual([true, false]);
    expect(membership.heard("a", address, 9_000)).toBe(true);
  });

  it("a death is told by the sweep in which it happened, and no other", () => {
    const membership = new Membership();
    membership.heard("a", address, 0);
    expect(membership.sweep(2_000, 2_999)).toEqual([]);
    expect(membership.sweep(2_999, 3_500).map(({ id }) => id)).toEqual(["a"]);
    expect(membership.sweep(3_500, 4_000)).toEqual([]);
  });

  it("who stays silent for a minute is forgotten, and may be introduced again", () => {
    const membership = new Membership();
    membership.heard("a", address, 0);
    membership.sweep(59_000, 60_000);
    expect(membership.all()).toEqual([]);
    membership.introduce("a", address, 60_001);
    expect(membership.all()).toHaveLength(1);
  });

  it("who is heard every few seconds is not forgotten, however long it is known", () => {
    const membership = new Membership();
    for (let now = 0; now <= 180_000; now += 2_000) {
      membership.heard("a", address, now);
      membership.sweep(now - 500, now);
    }
    expect(membership.alive(180_000)).toHaveLength(1);
  });

  it("who drains lives and takes nothing new; who has left is dead at once and stays so", () => {
    const membership = new Membership();
    for (const id of ["a", "b"]) membership.heard(id, address, 0);
    expect(membership.stands("a", "drains")).toBe(false);
    expect([membership.alive(1).length, membership.serving(1).map(({ id }) => id)]).toEqual([2, ["b"]]);
    expect([membership.stands("a", "left"), membership.stands("a", "serves")]).toEqual([true, false]);
    expect(membership.heard("a", address, 2)).toBe(false);
    expect([membership.isAlive("a", 2), membership.isAlive("b", 2)]).toEqual([false, true]);
    expect(membership.stands("nobody", "left")).toBe(false);
  });

  it("a node keeps the address it was first known by", () => {
    const membership = new Membership();
    membership.introduce("a", address, 0);
    membership.heard("a", { host: "elsewhere", port: 2 }, 1);
    expect(membership.get("a")?.address).toEqual(address);
  });
});

describe("Guests", () => {
  it("are counted for each peer until they go", () => {
    const guests = new Guests();
    const [one, two, other] = [guests.admit("a"), guests.admit("a"), guests.admit("b")];
    expect([guests.of("a"), guests.of("b"), guests.of("c")]).toEqual([2, 1, 0]);
    one();
    other();
    expect([guests.of("a"), guests.of("b")]).toEqual([1, 0]);
    two();
    expect(guests.of("a")).toBe(0);
  });
});

describe("Parking", () => {
  const wait = (parking: Parking, key: string, now: number) => {
    const result: { isHeard?: boolean } = {};
    void parking.wait(key, Buffer.from("x"), now).then((isHeard) => (result.isHeard = isHeard));
    return result;
  };

  it("a heard flow wakes its own messages, time wakes the others", async () => {
    const parking = new Parking(9);
    const [one, two] = [wait(parking, "f1", 0), wait(parking, "f2", 0)];
    parking.heard("f1");
    parking.sweep(24_999);
    await Promise.resolve();
    expect([one.isHeard, two.isHeard, parking.size]).toEqual([true, undefined, 1]);
    parking.sweep(25_000);
    await Promise.resolve();
    expect([two.isHeard, parking.size]).toEqual([false, 0]);
  });

  it("a flow wakes all of its messages once, and those that come later anew", async () => {
    const parking = new Parking(9);
    const first = [wait(parking, "f1", 0), wait(parking, "f1", 1)];
    parking.heard("f1");
    const second = wait(parking, "f1", 2);
    await Promise.resolve();
    expect([first.map(({ isHeard }) => isHeard), second.isHeard]).toEqual([[true, true], undefined]);
    parking.heard("f1");
    await Promise.resolve();
    expect([second.isHeard, parking.size]).toEqual([true, 0]);
  });

  it("nothing is kept of a flow once nothing waits for it", () => {
    const parking = new Parking(9);
    for (const key of ["f1", "f1", "f2"]) wait(parking, key, 0);
    const flows = Reflect.get(parking, "byFlow") as ReadonlyMap<string, unknown>;
    expect([...flows.keys()]).toEqual(["f1", "f2"]);
    parking.heard("f1");
    expect([...flows.keys()]).toEqual(["f2"]);
    parking.sweep(25_000);
    expect([...flows.keys()]).toEqual([]);
  });

  it("what has waited long enough is not woken by its flow any more", async () => {
    const parking = new Parking(9);
    const [early, late] = [wait(parking, "f1", 0), wait(parking, "f1", 10)];
    parking.sweep(25_000);
    parking.heard("f1");
    await Promise.resolve();
    expect([early.isHeard, late.isHeard, parking.size]).toEqual([false, true, 0]);
  });

  it("the datagram of a flow for which nothing waits looks at nothing that waits", () => {
    const parking = new Parking(100);
    for (let i = 0; i < 100; i++) wait(parking, `f${i}`, 0);
    const looks = vi.spyOn(Map.prototype, Symbol.iterator);
    parking.heard("another");
    parking.heard("f7");
    expect(looks).not.toHaveBeenCalled();
    looks.mockRestore();
    expect(parking.size).toBe(99);
  });

  it("a full room turns away at once", async () => {
    const parking = new Parking(1);
    wait(parking, "f1", 0);
    expect(await parking.wait("f2", Buffer.from("y"), 0)).toBe(false);
  });
});

describe("HandOver", () => {
  it("remembers so many choices, and forgets the one longest unused first", async () => {
    const membership = new Membership();
    membership.heard("b", { host: "h", port: 1 }, 0);
    const letters = new Correspondence(from, seal, (bytes) => {
      const { number = 0 } = decodeFrame(Buffer.from(bytes), seal) ?? {};
      queueMicrotask(() => letters.answered("b", number, [taken]));
    });
    const handOver = new HandOver(membership, letters, () => 0, 2);
    for (const key of ["1", "2", "1", "3"])
      handOver.hand({ key, bytes: Buffer.from("x"), flow, isHeld: undefined, serve: () => {} });
    const follows = (key: string) => handOver.follow(key, Buffer.from("x"), flow);
    expect(await Promise.all(["1", "2", "3"].map(follows))).toEqual([true, false, true]);
  });
});

describe("Presence", () => {
  it("pings twice a second and beats once", () => {
    let beats = 0;
    const posted: (FrameKind | undefined)[] = [];
    const membership = new Membership();
    membership.heard("b", { host: "h", port: 1 }, 0);
    const letters = new Correspondence(from, seal, (bytes) =>
      posted.push(decodeFrame(Buffer.from(bytes), seal)?.kind),
    );
    let now = 0;
    const presence = new Presence(
      { id: from, address: { host: "a", port: 1 } },
      membership,
      letters,
      { beat: async () => ((beats += 1), []), leave: async () => {} },
      { now: () => now, defer: (act) => act() },
      {
        about: () => ({
          figures: { transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 },
          outsideHeardAgo: undefined,
        }),
        peerChanged: () => {},
        directoryFailed: () => {},
        told: () => {},
      },
    );
    for (now = 0; now <= 2_000; now += 20) presence.advance(now);
    expect([posted, beats]).toEqual([["ping", "ping", "ping", "ping"], 2]);
  });
});

describe("AnswersGiven", () => {
  it("a question asked again within a second gets the answer that was given, and nothing is done twice", () => {
    const given = new AnswersGiven();
    let done = 0;
    const ask = (number: number, now: number) => given.once("a", number, now, () => [++done]);
    expect([ask(1, 10_000), ask(1, 10_900), ask(2, 10_950)]).toEqual([[1], [1], [2]]);
    expect([ask(1, 11_050), ask(2, 11_940)]).toEqual([[1], [2]]); // the older of the two generations
    expect([given.once("b", 1, 11_950, () => [9]), ask(1, 14_000)]).toEqual([[9], [3]]);
  });
});

describe("Correspondence", () => {
  it("a question that nobody else repeats is asked twice at most, any other once", () => {
    const posted: (FrameKind | undefined)[] = [];
    const letters = new Correspondence(from, seal, (bytes) =>
      posted.push(decodeFrame(Buffer.from(bytes), seal)?.kind),
    );
    const peer = { id: "b", address: { host: "h", port: 1 }, heardAt: 0, standing: "serves" } as const;
    for (const kind of ["send", "ping", "response"] as const)
      void letters.ask(peer, kind, Buffer.alloc(0), 1_000);
    for (let now = 1_000; now <= 1_200; now += 20) letters.sweep(now);
    expect(posted).toEqual(["send", "ping", "response", "send"]);
  });

  it("an answer settles its question, silence settles after 100 ms, late answers do nothing", async () => {
    const posted: Buffer[] = [];
    const letters = new Correspondence(from, seal, (bytes) => posted.push(Buffer.from(bytes)));
    const peer = { id: "b", address: { host: "h", port: 1 }, heardAt: 0, standing: "serves" } as const;
    const both = letters.askAll([peer, peer], "ping", Buffer.alloc(0), 1_000);
    const numbers = posted.map((bytes) => decodeFrame(bytes, seal)?.number ?? -1);
    expect(new Set(numbers).size).toBe(2);
    letters.answered("c", numbers[0] ?? 0, [9]); // another node's answer is nobody's
    letters.answered("b", numbers[0] ?? 0, [7]);
    letters.sweep(1_099);
    letters.sweep(1_100);
    letters.answered("b", numbers[1] ?? 0, [8]);
    expect(await both).toEqual([[7], undefined]);
  });
});
