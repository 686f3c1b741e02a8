import { expect, test } from "vitest";
import { shipped, strowger, tuned } from "./contestants/names.ts";
import { goalResults, isMet } from "./goals.ts";
import { benchmarksPage } from "./page.ts";
import type { Results, Sample, Series } from "./results.ts";

const sample = (server: number, failed = 0): Sample => ({
  finished: 1000,
  failed,
  retransmissions: 0,
  achieved: 1000,
  server,
  database: 10,
  sipp: 100,
  busy: 0.5,
  foreign: 0,
  p50: 4,
  p99: 8,
});
const series = (contestant: string, samples: readonly Sample[]): Series => ({
  load: "trusted",
  contestant,
  rate: 1000,
  samples,
});
const results = (...all: readonly Series[]): Results => ({
  date: "2026-01-01T00:00",
  commit: "abc",
  machine: { processors: "2 × Test", memoryGiB: 8, kernel: "Linux 6" },
  versions: { Kamailio: "5.6.3" },
  seconds: 4,
  rounds: 2,
  series: all,
  maxima: [],
  memory: [],
});

test("a goal is judged by the median of the rounds' ratios, MariaDB included", () => {
  const [first, second] = goalResults(
    results(
      series(shipped, [sample(390), sample(390), sample(390)]),
      series(tuned, [sample(90), sample(90), sample(90)]),
      series(strowger, [sample(190), sample(110), sample(390)]),
    ),
  );
  expect(first?.result).toEqual({ min: 0.3, median: 0.5, max: 1 });
  expect(first && isMet(first)).toBe(false);
  expect(second?.result).toEqual({ min: 1.2, median: 2, max: 4 });
});

test("a failed call makes the row and its goal invalid", () => {
  const run = results(series(tuned, [sample(90)]), series(strowger, [sample(90, 1)]));
  const goal = goalResults(run).find(({ against }) => against === tuned);
  expect(goal?.result).toBeUndefined();
  expect(goal && isMet(goal)).toBeUndefined();
  expect(benchmarksPage(run)).toMatch(/\| Strowger, 1 node \| 90 \| 10 \| invalid \|.*\| 1 \| 0 \|\n/);
});

test("a reading at least as high as the goal of a rate meets it", () => {
  const maximum = (contestant: string, rate: number) =>
    ({ load: "register", contestant, rate, isLoadLimited: false, steps: [] }) as const;
  const run = {
    ...results(),
    maxima: [maximum(tuned, 1000), maximum(`${tuned}, 8 children`, 1500), maximum(strowger, 4500)],
  };
  const goal = goalResults(run).find(({ isAtLeast }) => isAtLeast);
  expect(goal?.result?.median).toBe(3);
  expect(goal && isMet(goal)).toBe(true);
});

test("a page without results has the goals, all of them not measured", () => {
  const page = benchmarksPage(results());
  expect(page.match(/not measured/g)).toHaveLength(goalResults(results()).length);
  expect(page).not.toContain("NaN");
});
