import { describe, expect, test } from "vitest";
import { percentile, ratios, spread } from "./statistics.ts";

describe("spread", () => {
  test("minimum, median and maximum of an odd and of an even number of values", () => {
    expect(spread([3, 10, 2])).toEqual({ min: 2, median: 3, max: 10 });
    expect(spread([4, 10, 2, 3])).toEqual({ min: 2, median: 3.5, max: 10 });
  });

  test("nothing of no values, and of values that are no numbers", () => {
    expect(spread([])).toBeUndefined();
    expect(spread([Number.NaN, 0 / 0])).toBeUndefined();
  });
});

test("a ratio compares the samples of one round, not the medians", () => {
  expect(ratios([10, 400], [5, 100])).toEqual({ min: 2, median: 3, max: 4 });
  expect(ratios([10, 400], [5])).toEqual({ min: 2, median: 2, max: 2 });
});

test("the percentile is one of the values", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([100, 198, 200]);
  expect([percentile([7], 0.99), percentile([], 0.99)]).toEqual([7, 0]);
});
