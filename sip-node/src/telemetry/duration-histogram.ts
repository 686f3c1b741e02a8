/**
 * A histogram of durations, without labels. `observe` of prom-client's own histogram checks and hashes the labels, makes two objects and a
 * closure, and looks the bucket up by its text: 0.25 µs in a tight loop, where this one takes 0.03 µs. A profile of a
 * node with calls showed 3 % of its time there.
 */
import type { Metric, Registry } from "prom-client";
import type { Ms } from "../wire/units.ts";

export interface DurationHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds in seconds, rising. */
  readonly buckets: readonly number[];
}

export class DurationHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly aggregator = "sum";
  readonly labelNames: readonly string[] = [];
  private readonly bounds: readonly number[];
  /** How many durations are in each bucket alone. The last one is for what is above all bounds. */
  private readonly counts: Float64Array;
  private sum = 0;

  constructor({ name, help, buckets }: DurationHistogramOptions, registry: Registry) {
    this.name = name;
    this.help = help;
    this.bounds = buckets;
    this.counts = new Float64Array(buckets.length + 1);
    // The registry needs these fields and `get` alone. Its type demands a class of prom-client
    registry.registerMetric(this as unknown as Metric);
  }

  observe(duration: Ms): void {
    const { bounds } = this;
    const seconds = duration / 1000;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += seconds;
  }

  /** The samples of the text format: the counts of buckets include those of all smaller ones. */
  get() {
    const { name, help, type, aggregator, bounds, counts, sum } = this;
    let count = 0;
    const buckets = [...bounds, "+Inf"].map((le, i) => {
      count += counts[i] ?? 0;
      return { labels: { le }, value: count, metricName: `${name}_bucket` };
    });
    const values = [
      ...buckets,
      { labels: {}, value: sum, metricName: `${name}_sum` },
      { labels: {}, value: count, metricName: `${name}_count` },
    ];
    return Promise.resolve({ name, help, type, aggregator, values });
  }
}
