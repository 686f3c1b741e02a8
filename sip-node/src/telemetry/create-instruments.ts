/** Makes the metrics of the table. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { DurationHistogram } from "./duration-histogram.ts";
import { type MetricDefinition, metricTable, type Readings, type Sample } from "./metric-table.ts";

type Instrument<Definition extends MetricDefinition> = {
  counter: Counter;
  gauge: Gauge;
  histogram: Definition extends { readonly labels: readonly string[] } ? Histogram : DurationHistogram;
}[Definition["type"]];

export type Instruments = {
  readonly [Name in keyof typeof metricTable]: Instrument<(typeof metricTable)[Name]>;
};

export const createInstruments = (registry: Registry, readings: Readings): Instruments =>
  Object.fromEntries(
    Object.entries<MetricDefinition>(metricTable).map(([name, definition]) => [
      name,
      createInstrument(definition, registry, readings),
    ]),
  ) as unknown as Instruments;

function createInstrument(definition: MetricDefinition, registry: Registry, readings: Readings) {
  const { type, name, help, labels = [], buckets = [], read } = definition;
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  const samples = () => read?.(readings) ?? [];
  switch (type) {
    case "counter":
      return new Counter({ ...options, ...(read && { collect: countSamples(samples) }) });
    case "gauge":
      return new Gauge({ ...options, ...(read && { collect: setSamples(samples) }) });
    case "histogram":
      return labels.length === 0
        ? new DurationHistogram({ name, help, buckets }, registry)
        : new Histogram({ ...options, buckets: [...buckets] });
  }
}

/** A counter that is counted elsewhere: it gets the whole count again at each scrape. */
const countSamples = (samples: () => readonly Sample[]) =>
  function (this: Counter): void {
    this.reset();
    for (const { labels = {}, value } of samples()) this.inc(labels, value);
  };

const setSamples = (samples: () => readonly Sample[]) =>
  function (this: Gauge): void {
    for (const { labels = {}, value } of samples()) this.set(labels, value);
  };
