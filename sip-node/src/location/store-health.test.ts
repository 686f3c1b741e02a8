/** When the database counts as away, and when it is back (P7). */
import { beforeEach, expect, it } from "vitest";
import { maxFrozen, recoveryTime, StoreHealth } from "./store-health.ts";

let health: StoreHealth;
let now: number;
beforeEach(() => {
  health = new StoreHealth();
  now = 10_000;
});
/** Ticks each 20 ms. Returns how many polls began. */
function pass(duration: number): number {
  let polls = 0;
  for (const end = now + duration; now < end; now += 20) if (health.advance(now)) polls += 1;
  return polls;
}

it("a poll begins at once and again 400 ms after the last one began; none while one runs", () => {
  expect(pass(20)).toBe(1);
  expect(pass(900)).toBe(0);
  health.answered(now);
  expect(pass(20)).toBe(1);
  health.answered(now);
  expect([pass(360), pass(60)]).toEqual([0, 1]);
});

it("a poll without an answer for a second: the database is away, statements may still be tried", () => {
  pass(20);
  pass(960);
  expect(health.isAway).toBe(false);
  pass(60);
  expect([health.isAway, health.hasFailed]).toEqual([true, false]);
  expect(health.answered(now)).toBe(true);
  expect(health.isAway).toBe(false);
});

it("two failed polls in a row: statements are not tried. One is not enough, and the next poll begins at once", () => {
  pass(20);
  health.failed(new Error("reset"), now);
  expect([health.isAway, pass(20)]).toEqual([false, 1]);
  expect(health.answered(now)).toBe(false);
  health.suspect();
  for (let poll = 0; poll < 2; poll++) {
    expect(pass(20)).toBe(1);
    health.failed(new Error("refused"), now);
  }
  expect([health.isAway, health.hasFailed]).toEqual([true, true]);
  expect([health.answered(now), health.isAway, health.hasFailed]).toEqual([true, false, false]);
});

it("a process that was stopped during a poll does not take the database for away", () => {
  pass(40);
  now += 60_000;
  pass(40);
  expect(health.isAway).toBe(false);
});

it("while the database is away the time of expiry stands still, for an hour", () => {
  expect(health.expiryTime(now)).toBe(now);
  pass(1_100);
  const since = health.expiryTime(now);
  expect([
    since < now,
    health.expiryTime(now + maxFrozen / 2),
    health.expiryTime(since + maxFrozen + 5),
  ]).toEqual([true, since, since + 5]);
  health.answered(now);
  expect(health.expiryTime(now)).toBe(now);
});

it("after an outage phones have two minutes, and the time by which bindings expired during it is known", () => {
  expect(health.recovery(now)).toBeUndefined();
  pass(2_000);
  const since = health.expiryTime(now);
  pass(5_000);
  health.answered(now);
  expect(health.recovery(now + 1_000)).toEqual({ expiryTime: since, left: recoveryTime - 1_000 });
  expect(health.recovery(now + recoveryTime)).toBeUndefined();
});
