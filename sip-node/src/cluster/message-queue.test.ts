import { expect, it, vi } from "vitest";
import { MessageQueue } from "./message-queue.ts";

let count = 0;
const wait = (queue: MessageQueue, key: string, now: number, text = `message ${(count += 1)}`) => {
  const result: { isReachable?: boolean; isRepeated?: boolean } = {};
  void queue.wait(key, text, now).then((ended) => {
    if (ended === "repeated") result.isRepeated = true;
    else result.isReachable = ended === "reachable";
  });
  return result;
};

it("a datagram wakes the messages of its flow; the others end after 25 s", async () => {
  const queue = new MessageQueue(9);
  const [one, two] = [wait(queue, "f1", 0), wait(queue, "f2", 0)];
  queue.wake("f1");
  queue.expire(24_999);
  await Promise.resolve();
  expect([one.isReachable, two.isReachable, queue.size]).toEqual([true, undefined, 1]);
  queue.expire(25_000);
  await Promise.resolve();
  expect([two.isReachable, queue.size]).toEqual([false, 0]);
});

it("a datagram wakes all messages of its flow once, and the next one those that were queued later", async () => {
  const queue = new MessageQueue(9);
  const first = [wait(queue, "f1", 0), wait(queue, "f1", 1)];
  queue.wake("f1");
  const second = wait(queue, "f1", 2);
  await Promise.resolve();
  expect([first.map(({ isReachable }) => isReachable), second.isReachable]).toEqual([
    [true, true],
    undefined,
  ]);
  queue.wake("f1");
  await Promise.resolve();
  expect([second.isReachable, queue.size]).toEqual([true, 0]);
});

it("a retransmission is not queued twice; the same text to another flow is", async () => {
  const queue = new MessageQueue(9);
  const [first, again, other] = ["f1", "f1", "f2"].map((flow) => wait(queue, flow, 0, "INVITE"));
  expect(queue.size).toBe(2);
  for (const flow of ["f1", "f2"]) queue.wake(flow);
  await new Promise((resolve) => setImmediate(resolve));
  expect([first, again, other]).toEqual([{ isReachable: true }, { isRepeated: true }, { isReachable: true }]);
});

it("a flow without waiting messages is forgotten", () => {
  const queue = new MessageQueue(9);
  for (const key of ["f1", "f1", "f2"]) wait(queue, key, 0);
  const flows = Reflect.get(queue, "byFlow") as ReadonlyMap<string, unknown>;
  expect([...flows.keys()]).toEqual(["f1", "f2"]);
  queue.wake("f1");
  expect([...flows.keys()]).toEqual(["f2"]);
  queue.expire(25_000);
  expect([...flows.keys()]).toEqual([]);
});

it("a message that has expired is not woken", async () => {
  const queue = new MessageQueue(9);
  const [early, late] = [wait(queue, "f1", 0), wait(queue, "f1", 10)];
  queue.expire(25_000);
  queue.wake("f1");
  await Promise.resolve();
  expect([early.isReachable, late.isReachable, queue.size]).toEqual([false, true, 0]);
});

it("a datagram of a flow without waiting messages iterates over no message", () => {
  const queue = new MessageQueue(100);
  for (let i = 0; i < 100; i++) wait(queue, `f${i}`, 0);
  const iterations = vi.spyOn(Map.prototype, Symbol.iterator);
  queue.wake("another");
  queue.wake("f7");
  expect(iterations).not.toHaveBeenCalled();
  iterations.mockRestore();
  expect(queue.size).toBe(99);
});

it("a full queue refuses at once", async () => {
  const queue = new MessageQueue(1);
  wait(queue, "f1", 0);
  expect(await queue.wait("f2", "y", 0)).toBe("unreachable");
});
