import { expect, test } from "vitest";
import { KeyedQueue } from "./keyed-queue.ts";
import { ReconcileLoop, type Outcome } from "./reconcile-loop.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

/** Reconciles that end when the test says so. */
function given(workers: number) {
  const clock = new VirtualClock();
  const queue = new KeyedQueue<string>(clock, { first: 100, longest: 1_000 }, () => 1);
  const started: string[] = [];
  const ends = new Map<
    string,
    { readonly well: (outcome: Outcome) => void; readonly badly: (cause: Error) => void }
  >();
  const loop = new ReconcileLoop<string>(
    queue,
    (key) => {
      started.push(key);
      return new Promise<Outcome>((well, badly) => ends.set(key, { well, badly }));
    },
    { workers, seconds: () => clock.now() / 1000 },
  );
  loop.start();
  return { clock, queue, loop, started, ends };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

test("no more keys than workers are in progress, and no key twice", async () => {
  const { queue, started, ends } = given(2);
  for (const key of ["a", "b", "c"]) queue.add(key);
  queue.add("a");
  expect(started).toEqual(["a", "b"]);
  ends.get("b")?.well({});
  await settle();
  expect(started).toEqual(["a", "b", "c"]);
  ends.get("c")?.well({});
  await settle();
  expect(started).toHaveLength(3);
  ends.get("a")?.well({});
  await settle();
  expect(started).toEqual(["a", "b", "c", "a"]);
});

test("requeueAfter returns the key at that time", async () => {
  const { clock, queue, started, ends } = given(1);
  queue.add("a");
  ends.get("a")?.well({ requeueAfter: 5_000 });
  await settle();
  clock.advance(4_999);
  expect(started).toEqual(["a"]);
  clock.advance(1);
  expect(started).toEqual(["a", "a"]);
});

test("a failure returns the key after the back-off, and stops nothing else", async () => {
  const { clock, queue, started, ends } = given(1);
  queue.add("a");
  queue.add("b");
  ends.get("a")?.badly(new Error("planted"));
  await settle();
  expect(started).toEqual(["a", "b"]);
  ends.get("b")?.well({});
  await settle();
  clock.advance(100);
  expect(started).toEqual(["a", "b", "a"]);
});

test("success resets earlier failures: the next failure has the first delay again", async () => {
  const { clock, queue, started, ends } = given(1);
  for (const delay of [100, 200]) {
    queue.add("a");
    ends.get("a")?.badly(new Error("planted"));
    await settle();
    clock.advance(delay);
  }
  ends.get("a")?.well({});
  await settle();
  queue.add("a");
  ends.get("a")?.badly(new Error("planted"));
  await settle();
  const before = started.length;
  clock.advance(100);
  expect(started).toHaveLength(before + 1);
});

test("stop waits for the work in progress and takes no new key", async () => {
  const { queue, loop, started, ends } = given(1);
  queue.add("a");
  queue.add("b");
  let isStopped = false;
  const stopped = loop.stop().then(() => (isStopped = true));
  await settle();
  expect(isStopped).toBe(false);
  ends.get("a")?.well({});
  await stopped;
  queue.add("c");
  await settle();
  expect(started).toEqual(["a"]);
});
