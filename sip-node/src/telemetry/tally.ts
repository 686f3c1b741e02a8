/**
 * Counts that become samples of a counter when metrics are scraped. An `inc` of prom-client, also one of a series that is bound to its labels,
 * hashes the labels again and makes three objects: 0.5 µs, seven times for each call.
 */
import type { Counter } from "prom-client";

/** One series. */
export interface Tally {
  count: number;
  readonly labels: Readonly<Record<string, string>>;
}

export class Tallies {
  private readonly all: Tally[] = [];

  constructor(counter: Counter) {
    const { all } = this;
    Object.assign(counter, {
      collect() {
        counter.reset();
        for (const { labels, count } of all) counter.inc(labels, count);
      },
    });
  }

  /** A series that starts at 0. Keep it: adding it again would count twice. */
  add(labels: Readonly<Record<string, string>> = {}): Tally {
    const tally = { labels, count: 0 };
    this.all.push(tally);
    return tally;
  }
}
