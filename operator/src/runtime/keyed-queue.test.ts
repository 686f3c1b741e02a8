import { expect, test } from "vitest";
import { KeyedQueue } from "./keyed-queue.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

const backOff = { first: 100, longest: 1_000 };

function given(random = 0.5) {
  const clock = new VirtualClock();
  return { clock, queue: new KeyedQueue<string>(clock, backOff, () => random) };
}

test("a key that is added twice is processed once", () => {
  const { queue } = given();
  queue.add("a");
  queue.add("a");
  expect(queue.take()).toBe("a");
  expect(queue.take()).toBeUndefined();
});

test("a key that is added while it is in progress waits until it is done", () => {
  const { queue } = given();
  queue.add("a");
  queue.take();
  queue.add("a");
  expect(queue.take()).toBeUndefined();
  queue.done("a");
  expect(queue.take()).toBe("a");
});

test("keys are taken in the order in which they were added", () => {
  const { queue } = given();
  for (const key of ["c", "a", "b"]) queue.add(key);
  expect([queue.take(), queue.take(), queue.take()]).toEqual(["c", "a", "b"]);
});

test("failures double the delay up to the longest, and half of it is jitter", () => {
  const { queue } = given(0);
  const least = [1, 2, 3, 4, 5, 6].map(() => queue.retry("a"));
  expect(least).toEqual([50, 100, 200, 400, 500, 500]);
  const most = given(1).queue;
  expect([most.retry("a"), most.retry("a")]).toEqual([100, 200]);
});

test("success resets the failures of its own key only", () => {
  const { queue } = given(1);
  for (const key of ["a", "a", "b", "b"]) queue.retry(key);
  queue.forget("a");
  expect([queue.retry("a"), queue.retry("b")]).toEqual([100, 400]);
});

test("a key that failed is taken again only when its delay is over", () => {
  const { clock, queue } = given(1);
  queue.add("a");
  queue.take();
  queue.retry("a");
  queue.done("a");
  clock.advance(99);
  expect(queue.take()).toBeUndefined();
  clock.advance(1);
  expect(queue.take()).toBe("a");
});

test("of two delays the earlier one counts, and adding a key cancels its delay", () => {
  const { clock, queue } = given();
  queue.addAfter("a", 500);
  queue.addAfter("a", 100);
  queue.addAfter("a", 300);
  clock.advance(100);
  expect(queue.take()).toBe("a");
  queue.done("a");
  queue.addAfter("b", 100);
  queue.add("b");
  expect(queue.take()).toBe("b");
  queue.done("b");
  clock.advance(1_000);
  expect(queue.take()).toBeUndefined();
});

test("a resync waits behind every change", () => {
  const { queue } = given();
  for (const key of ["a", "b", "c"]) queue.addBehind(key);
  queue.add("d");
  queue.add("b");
  expect(queue.depth).toBe(4);
  expect([1, 2, 3, 4, 5].map(() => queue.take())).toEqual(["d", "b", "a", "c", undefined]);
});

test("a key in progress, or with a delay, is not added by a resync", () => {
  const { clock, queue } = given();
  queue.add("a");
  queue.take();
  queue.addBehind("a");
  queue.done("a");
  expect(queue.take()).toBeUndefined();
  queue.addAfter("b", 100);
  queue.addBehind("b");
  expect(queue.take()).toBe("b");
  queue.done("b");
  clock.advance(100);
  expect(queue.take()).toBe("b");
});

test("keys are taken by priority, and a waiting key only moves to a more urgent priority", () => {
  const { queue } = given();
  for (const key of ["a", "b"]) queue.add(key, "creation");
  queue.add("c", "dependency");
  queue.add("d", "edit");
  queue.add("e", "revocation");
  queue.add("b", "revocation");
  queue.add("d", "creation");
  queue.addBehind("c");
  expect(queue.depth).toBe(5);
  expect([1, 2, 3, 4, 5, 6].map(() => queue.take())).toEqual(["e", "b", "d", "c", "a", undefined]);
});

test("an urgent key is next, for any number of other keys", () => {
  const { queue } = given();
  for (let number = 0; number < 5_000; number += 1) queue.add(`new-${number}`, "creation");
  queue.add("password", "revocation");
  expect([queue.take(), queue.take()]).toEqual(["password", "new-0"]);
});

test("after eight keys of one priority the others get one key, the more urgent of them eight times as often", () => {
  const { queue } = given();
  for (let number = 0; number < 200; number += 1) {
    queue.add(`r${number}`, "revocation");
    queue.add(`e${number}`, "edit");
    queue.addBehind(`s${number}`);
  }
  const taken = Array.from({ length: 90 }, () => queue.take());
  expect(taken.slice(0, 10).join(" ")).toBe("r0 r1 r2 r3 r4 r5 r6 r7 e0 r8");
  expect(taken.filter((key) => key?.startsWith("e"))).toHaveLength(9);
  expect(taken.filter((key) => key?.startsWith("s"))).toEqual(["s0"]);
});

test("a key that returns after a delay or after its work keeps its priority", () => {
  const { clock, queue } = given(1);
  queue.add("slow", "creation");
  queue.take();
  queue.retry("slow");
  queue.done("slow");
  queue.add("again", "creation");
  queue.take();
  queue.add("again", "dependency");
  queue.add("again", "resync");
  queue.addAfter("later", 100, "revocation");
  clock.advance(100);
  queue.add("other", "creation");
  queue.done("again");
  expect([1, 2, 3, 4].map(() => queue.take())).toEqual(["later", "again", "slow", "other"]);
});

test("the observer can read how long each key is in progress", () => {
  let underWay: () => readonly number[] = () => [];
  const nothing = (): void => undefined;
  const clock = new VirtualClock();
  const queue = new KeyedQueue<string>(clock, backOff, () => 1, {
    added: nothing,
    taken: nothing,
    finished: nothing,
    retried: nothing,
    attached: (probe) => (underWay = probe),
  });
  queue.add("a");
  queue.take();
  clock.advance(300);
  queue.add("b");
  queue.take();
  clock.advance(50);
  expect(underWay()).toEqual([350, 50]);
  queue.done("a");
  expect(underWay()).toEqual([50]);
});
