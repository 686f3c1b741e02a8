/** The flows that are forgotten when there are too many: docs/adr/0022. */
import { beforeEach, describe, expect, it } from "vitest";
import { type Flow, flowOf } from "../wire/flow.ts";
import { FlowDirectory } from "./flow-directory.ts";

const limit = 32;
/** Two of 32 places are reserved for unauthenticated flows. */
const maxAuthenticated = 30;
const phone = (number: number): Flow => flowOf("192.0.2.1", 1_000 + number);
const unknown = (number: number): Flow => flowOf("203.0.113.9", 1_000 + number);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

let directory: FlowDirectory;
let now: number;
beforeEach(() => {
  directory = new FlowDirectory(limit);
  now = 1_000_000;
});

const receive = (flow: Flow) => directory.record(flow, "a", (now += 1));
const authenticate = (flow: Flow, span = 1_000_000) => {
  receive(flow);
  directory.markAuthenticated(flow.key, now + span, now);
};
const isKnown = ({ key }: Flow): boolean => directory.get(key) !== undefined;
/** The numbers whose flows are known. */
const knownOf = (flowOfNumber: (number: number) => Flow, count: number): number[] =>
  numbers(count).filter((number) => isKnown(flowOfNumber(number)));

it("a known flow keeps its entry and changes its owner", () => {
  const known = receive(phone(1));
  expect(directory.record(phone(1), "b", now + 5)).toBe(known);
  expect(known).toMatchObject({ owner: "b", lastReceivedAt: now + 5 });
});

describe("unauthenticated flows", () => {
  it("the least recently used one is forgotten first", () => {
    for (const number of numbers(limit)) receive(unknown(number));
    receive(unknown(0));
    receive(unknown(limit));
    receive(unknown(limit + 1));
    expect(knownOf(unknown, 4)).toEqual([0, 3]);
    expect(directory.size).toBe(limit);
  });

  it("one that is used often stays", () => {
    receive(unknown(0));
    for (const number of numbers(10 * limit)) {
      receive(unknown(number + 1));
      receive(unknown(0));
    }
    expect(isKnown(unknown(0))).toBe(true);
  });

  it("they displace no authenticated flow, also when their owner is another node", () => {
    authenticate(phone(0));
    for (const number of numbers(2 * limit)) directory.record(unknown(number), "elsewhere", (now += 1));
    expect([isKnown(phone(0)), directory.size]).toEqual([true, limit]);
  });
});

describe("an authenticated flow", () => {
  it("is never displaced by unauthenticated flows", () => {
    for (const number of numbers(maxAuthenticated)) authenticate(phone(number));
    for (const number of numbers(10 * limit)) receive(unknown(number));
    expect(knownOf(phone, limit)).toHaveLength(maxAuthenticated);
    expect(knownOf(unknown, 10 * limit)).toEqual([10 * limit - 2, 10 * limit - 1]);
  });

  it("is displaced by authenticated flows only, the least recently used one first", () => {
    for (const number of numbers(maxAuthenticated)) authenticate(phone(number));
    receive(phone(0));
    authenticate(phone(maxAuthenticated));
    authenticate(phone(maxAuthenticated + 1));
    expect(knownOf(phone, 4)).toEqual([0, 3]);
  });

  it("counts as unauthenticated from its first datagram after its time", () => {
    authenticate(phone(1));
    authenticate(phone(0), 1_000);
    now += 1_000;
    receive(phone(0));
    for (const number of numbers(limit)) receive(unknown(number));
    expect(isKnown(phone(0))).toBe(false);
  });

  it("is forgotten before any unauthenticated flow when its time is over and it is the oldest", () => {
    authenticate(phone(0), 1_000);
    for (const number of numbers(limit - 1)) receive(unknown(number));
    now += 1_000;
    receive(unknown(limit));
    expect([isKnown(phone(0)), isKnown(unknown(0))]).toEqual([false, true]);
  });

  it("does not become the most recently used one by a longer time", () => {
    for (const number of numbers(maxAuthenticated)) authenticate(phone(number));
    directory.markAuthenticated(phone(0).key, now + 9_000_000, now);
    authenticate(phone(maxAuthenticated));
    expect(knownOf(phone, 3)).toEqual([1, 2]);
  });

  it("stays authenticated for the longest of the times given", () => {
    authenticate(phone(0), 5_000);
    directory.markAuthenticated(phone(0).key, now + 1_000, now);
    now += 2_000;
    for (const number of numbers(2 * limit)) receive(unknown(number));
    expect(isKnown(phone(0))).toBe(true);
  });

  it("counts as unauthenticated from the moment of its release", () => {
    authenticate(phone(0));
    directory.release(phone(0), (now += 1));
    expect(directory.get(phone(0).key)).toMatchObject({ owner: "", authenticatedUntil: 0 });
    for (const number of numbers(limit)) receive(unknown(number));
    expect(isKnown(phone(0))).toBe(false);
  });

  it("must be known before it can be marked", () => {
    directory.markAuthenticated(phone(0).key, now + 1_000, now);
    expect(directory.size).toBe(0);
  });
});
