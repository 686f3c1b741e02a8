import { expect, it } from "vitest";
import { PerMinute } from "./per-minute.ts";

it("counts what happened in the last minute, and forgets it", () => {
  const minute = new PerMinute();
  for (let now = 1_000_000; now < 1_030_000; now += 1_000) minute.add(now);
  expect([1_030_000, 1_054_999, 1_070_000, 1_095_000].map((now) => minute.count(now))).toEqual([
    30, 30, 15, 0,
  ]);
});

it("a long silence leaves nothing of before", () => {
  const minute = new PerMinute();
  minute.add(0);
  minute.add(3_600_000);
  expect(minute.count(3_600_001)).toBe(1);
});
