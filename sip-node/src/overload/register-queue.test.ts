import { expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import { LoadMonitor } from "./load-monitor.ts";
import { RegisterQueue } from "./register-queue.ts";

const datagram = "REGISTER";
const limits = { maxQueue: 8, maxUnderWay: 100 };

function queueOf(rate: number, given = limits) {
  const load = new LoadMonitor(0);
  load.registerRate = rate;
  const queue = new RegisterQueue(load, 0, given);
  const started: number[] = [];
  const receive = (port: number, isKnown: boolean, now: number) => {
    if (queue.mayStart(datagram, flowOf("192.0.2.1", port), isKnown, now)) started.push(port);
  };
  const advance = (now: number) => queue.advance(now, ({ flow }) => void started.push(flow.port));
  return { queue, started, receive, advance };
}

it("below the rate each starts at once, and nothing waits", () => {
  const { queue, started, receive } = queueOf(1_000);
  for (let i = 1; i <= 1_000; i++) receive(i, i % 2 === 0, i * 2);
  expect([started.length, queue.size, queue.dropped]).toEqual([1_000, 0, 0]);
});

it("above the rate they wait, and start in their order at the rate", () => {
  const { queue, started, receive, advance } = queueOf(100);
  for (let i = 1; i <= 10; i++) receive(i, true, 0);
  expect([started, queue.size]).toEqual([[1, 2, 3, 4], 6]);
  advance(20);
  expect(started).toEqual([1, 2, 3, 4, 5, 6]);
  receive(11, true, 30); // one that arrives later does not overtake
  advance(70);
  expect(started).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it("three known phones start before each stranger, and strangers start too", () => {
  const { queue, started, receive, advance } = queueOf(100, { maxQueue: 100, maxUnderWay: 100 });
  for (let i = 1; i <= 4; i++) receive(i, true, 0);
  started.length = 0;
  for (let i = 1; i <= 8; i++) {
    receive(1_000 + i, false, 0);
    receive(i, true, 0);
  }
  for (let now = 20; now <= 400; now += 20) advance(now);
  expect(started).toEqual([1, 2, 3, 1_001, 4, 5, 6, 1_002, 7, 8, 1_003, 1_004, 1_005, 1_006, 1_007, 1_008]);
  expect(queue.size).toBe(0);
});

it("a full queue drops strangers, and a known phone displaces the stranger that waits longest", () => {
  const { queue, started, receive, advance } = queueOf(100);
  for (let i = 1; i <= 4; i++) receive(i, true, 0);
  started.length = 0;
  for (let i = 1; i <= 20; i++) receive(1_000 + i, false, 0);
  expect([queue.size, queue.dropped]).toEqual([8, 12]);
  receive(5, true, 0);
  expect([queue.size, queue.dropped]).toEqual([8, 13]);
  for (let now = 20; now <= 200; now += 20) advance(now);
  expect(started).toEqual([5, 1_002, 1_003, 1_004, 1_005, 1_006, 1_007, 1_008]);
});

it("a full queue of known phones drops the next one", () => {
  const { queue, receive } = queueOf(100);
  for (let i = 1; i <= 13; i++) receive(i, true, 0);
  expect([queue.size, queue.dropped]).toEqual([8, 1]);
});

it("one that waited for a second is dropped: its phone has sent it again (§17.1.2)", () => {
  const { queue, started, receive, advance } = queueOf(100);
  for (let i = 1; i <= 6; i++) receive(i, true, 0);
  advance(1_000);
  expect([started, queue.size, queue.dropped]).toEqual([[1, 2, 3, 4], 0, 2]);
});

it("when too many wait for the database, the next ones wait until one of those ends", () => {
  const { queue, started, receive, advance } = queueOf(1_000, { maxQueue: 8, maxUnderWay: 2 });
  for (let i = 1; i <= 4; i++) {
    receive(i, true, i);
    if (started.includes(i)) queue.begin();
  }
  advance(100);
  expect(started).toEqual([1, 2]);
  queue.end();
  advance(120);
  expect(started).toEqual([1, 2, 3, 4]);
});
