/** Histograms of durations, beside prom-client's own. */
import { Histogram, Registry } from "prom-client";
import { expect, it } from "vitest";
import { DurationHistogram } from "./duration-histogram.ts";

const options = { name: "answer_seconds", help: "Time to an answer", buckets: [0.001, 0.25, 1] };

async function textsAfter(durations: readonly number[]): Promise<readonly [string, string]> {
  const [own, theirs] = [new Registry(), new Registry()];
  const histogram = new DurationHistogram(options, own);
  const reference = new Histogram({ ...options, registers: [theirs] });
  for (const duration of durations) {
    histogram.observe(duration);
    reference.observe(duration / 1000);
  }
  return Promise.all([own.metrics(), theirs.metrics()]);
}

it.each([
  ["nothing was observed", []],
  ["a duration is on a bound, below the first and above the last", [0, 1, 1.5, 250, 1000, 1001, 90_000]],
])("a scrape shows what prom-client's histogram shows: %s", async (_, durations) => {
  const [own, theirs] = await textsAfter(durations);
  expect(own).toContain(`answer_seconds_count ${durations.length}`);
  expect(own).toBe(theirs);
});
