import { expect, it } from "vitest";
import { PerMinute } from "./per-minute.ts";

it("counts the events of the last minute, and no older ones", () => {
  const minute = new PerMinute();
  for (let now = 1_000_000; now < 1_030_000; now += 1_000) minute.add(now);
  expect([1_030_000, 1_054_999, 1_070_000, 1_095_000].map((now) => minute.count(now))).toEqual([
    30, 30, 15, 0,
  ]);
});

it("after a long time without events, no older one is counted", () => {
  const minute = new PerMinute();
  minute.add(0);
  minute.add(3_600_000);
  expect(minute.count(3_600_001)).toBe(1);
});
