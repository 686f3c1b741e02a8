/** Which flows are remembered when there are more than fit: docs/adr/0022. */
import { beforeEach, describe, expect, it } from "vitest";
import { type Flow, flowOf } from "../wire/flow.ts";
import { FlowDirectory } from "./flow-directory.ts";

const limit = 32;
/** Of 32 places, strangers always have two. */
const maxAuthenticated = 30;
const phone = (number: number): Flow => flowOf("192.0.2.1", 1_000 + number);
const stranger = (number: number): Flow => flowOf("203.0.113.9", 1_000 + number);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

let directory: FlowDirectory;
let now: number;
beforeEach(() => {
  directory = new FlowDirectory(limit);
  now = 1_000_000;
});

const hears = (flow: Flow) => directory.note(flow, "a", (now += 1));
const knows = (flow: Flow, span = 1_000_000) => {
  hears(flow);
  directory.markAuthenticated(flow.key, now + span, now);
};
const isRemembered = ({ key }: Flow): boolean => directory.get(key) !== undefined;
/** The numbers of those that are remembered. */
const remembered = (flowOfNumber: (number: number) => Flow, count: number): number[] =>
  numbers(count).filter((number) => isRemembered(flowOfNumber(number)));

it("a known flow keeps its entry and changes its owner", () => {
  const heard = hears(phone(1));
  expect(directory.note(phone(1), "b", now + 5)).toBe(heard);
  expect(heard).toMatchObject({ owner: "b", heardAt: now + 5 });
});

describe("of strangers", () => {
  it("the least recently heard is forgotten first", () => {
    for (const number of numbers(limit)) hears(stranger(number));
    hears(stranger(0));
    hears(stranger(limit));
    hears(stranger(limit + 1));
    expect(remembered(stranger, 4)).toEqual([0, 3]);
    expect(directory.size).toBe(limit);
  });

  it("one that is heard all the time stays, however short the pauses", () => {
    hears(stranger(0));
    for (const number of numbers(10 * limit)) {
      hears(stranger(number + 1));
      hears(stranger(0));
    }
    expect(isRemembered(stranger(0))).toBe(true);
  });

  it("whatever node hears them", () => {
    knows(phone(0));
    for (const number of numbers(2 * limit)) directory.note(stranger(number), "elsewhere", (now += 1));
    expect([isRemembered(phone(0)), directory.size]).toEqual([true, limit]);
  });
});

describe("a known phone's flow", () => {
  it("is displaced by no stranger, how long ever it is silent", () => {
    for (const number of numbers(maxAuthenticated)) knows(phone(number));
    for (const number of numbers(10 * limit)) hears(stranger(number));
    expect(remembered(phone, limit)).toHaveLength(maxAuthenticated);
    expect(remembered(stranger, 10 * limit)).toEqual([10 * limit - 2, 10 * limit - 1]);
  });

  it("is displaced by known phones alone, the least recently heard first", () => {
    for (const number of numbers(maxAuthenticated)) knows(phone(number));
    hears(phone(0));
    knows(phone(maxAuthenticated));
    knows(phone(maxAuthenticated + 1));
    expect(remembered(phone, 4)).toEqual([0, 3]);
  });

  it("is a stranger's, heard after its time", () => {
    knows(phone(1));
    knows(phone(0), 1_000);
    now += 1_000;
    hears(phone(0));
    for (const number of numbers(limit)) hears(stranger(number));
    expect(isRemembered(phone(0))).toBe(false);
  });

  it("goes before any stranger where its time is over and it is the oldest", () => {
    knows(phone(0), 1_000);
    for (const number of numbers(limit - 1)) hears(stranger(number));
    now += 1_000;
    hears(stranger(limit));
    expect([isRemembered(phone(0)), isRemembered(stranger(0))]).toEqual([false, true]);
  });

  it("is not heard by being marked: of known phones the least recently heard goes first", () => {
    for (const number of numbers(maxAuthenticated)) knows(phone(number));
    directory.markAuthenticated(phone(0).key, now + 9_000_000, now);
    knows(phone(maxAuthenticated));
    expect(remembered(phone, 3)).toEqual([1, 2]);
  });

  it("stays for the longest of the times given", () => {
    knows(phone(0), 5_000);
    directory.markAuthenticated(phone(0).key, now + 1_000, now);
    now += 2_000;
    for (const number of numbers(2 * limit)) hears(stranger(number));
    expect(isRemembered(phone(0))).toBe(true);
  });

  it("is a stranger's from the moment the phone left it", () => {
    knows(phone(0));
    directory.leave(phone(0), (now += 1));
    expect(directory.get(phone(0).key)).toMatchObject({ owner: "", authenticatedUntil: 0 });
    for (const number of numbers(limit)) hears(stranger(number));
    expect(isRemembered(phone(0))).toBe(false);
  });

  it("that is not remembered cannot be marked", () => {
    directory.markAuthenticated(phone(0).key, now + 1_000, now);
    expect(directory.size).toBe(0);
  });
});
