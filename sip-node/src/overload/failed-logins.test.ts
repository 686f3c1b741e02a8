import { expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import { FailedLogins } from "./failed-logins.ts";

const flow = (port: number, address = "192.0.2.1") => flowOf(address, port);
let guesses = 0;
/** Another wrong password each time. */
const guess = (user: string) => ({ user, response: String(guesses++) });
const fail = (logins: FailedLogins, times: number, user: string, now: number, port = 5_060) =>
  Array.from({ length: times }, () => logins.failed(flow(port), guess(user), now));

it("a phone with an old password that tries every 30 seconds is always answered, and its flow never waits", () => {
  const logins = new FailedLogins();
  for (let now = 0; now < 3_600_000; now += 30_000) {
    expect(logins.isDelayed(flow(5_060), now)).toBe(false);
    expect(logins.failed(flow(5_060), guess("bob"), now)).toBe(true);
  }
});

it("a phone that answers each challenge with the same wrong password is answered 19 times before its flow waits", () => {
  const logins = new FailedLogins();
  expect(fail(logins, 19, "bob", 0)).toEqual(Array.from({ length: 19 }, () => true));
  expect(logins.isDelayed(flow(5_060), 0)).toBe(false);
});

it("after 30 failures for a user a source gets no more answers for that user, and for others it does", () => {
  const logins = new FailedLogins();
  expect(fail(logins, 40, "bob", 0).filter(Boolean)).toHaveLength(29);
  expect(logins.failed(flow(1), guess("carol"), 0)).toBe(true);
  expect(logins.failed(flow(1, "192.0.2.2"), guess("bob"), 0)).toBe(true);
  expect(logins.failed(flow(1), guess("bob"), 120_000)).toBe(true);
});

it("after 100 failures for any users no wrong password of the source is answered, until it stops", () => {
  const logins = new FailedLogins();
  for (let i = 0; i < 100; i++) logins.failed(flow(i), guess(`user${i}`), 0);
  expect(logins.failed(flow(1), guess("carol"), 0)).toBe(false);
  expect(logins.isPenalized("192.0.2.1", 0)).toBe(true);
  expect(logins.isPenalized("192.0.2.2", 0)).toBe(false);
  expect(logins.isPenalized("192.0.2.1", 60_000)).toBe(false);
});

it("a flow waits longer after each failure, at most 8 s; other flows of its address do not wait", () => {
  const logins = new FailedLogins();
  const waits = Array.from({ length: 27 }, (_, i) => {
    logins.failed(flow(5_060), guess(`user${i}`), 0);
    let wait = 0;
    while (logins.isDelayed(flow(5_060), wait)) wait += 500;
    return wait;
  });
  expect(waits.slice(0, 19).every((wait) => wait === 0)).toBe(true);
  expect(waits.slice(19)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
  expect(logins.isDelayed(flow(5_061), 0)).toBe(false);
  logins.succeeded(flow(5_060));
  expect(logins.isDelayed(flow(5_060), 0)).toBe(false);
});

it("a retransmission counts once", () => {
  const logins = new FailedLogins();
  const same = guess("bob");
  for (let i = 0; i < 50; i++) expect(logins.failed(flow(5_060), same, i)).toBe(true);
  expect([logins.total, logins.isDelayed(flow(5_060), 50)]).toEqual([1, false]);
});

it("the table is bounded: the oldest failure is forgotten first", () => {
  const logins = new FailedLogins(30);
  for (let i = 0; i < 10_000; i++) {
    fail(logins, 1, "bob", i, 5_060);
    logins.failed(flow(1, `10.0.${i >> 8}.${i & 255}`), guess(`user${i}`), i);
  }
  expect(logins.size).toBe(30);
  expect(logins.isPenalized("192.0.2.1", 10_000)).toBe(true);
  expect(logins.total).toBe(20_000);
});
