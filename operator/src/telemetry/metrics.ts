/** The operator's metrics: the instruments of `metric-table.ts`, and the gauges of objects. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { metricTable, type MetricDefinition } from "./metric-table.ts";
import { ObjectGauges } from "./object-gauges.ts";
import { ProbedGauge } from "./probed-gauge.ts";

type Instrument<Definition extends MetricDefinition> = {
  counter: Counter;
  gauge: Gauge;
  histogram: Histogram;
  probes: ProbedGauge;
}[Definition["type"]];

type Instruments = {
  readonly [Name in keyof typeof metricTable]: Instrument<(typeof metricTable)[Name]>;
};

export interface Metrics extends Instruments {
  readonly registry: Registry;
  readonly objects: ObjectGauges;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry, ...createInstruments(registry), objects: new ObjectGauges(registry) };
}

const createInstruments = (registry: Registry): Instruments =>
  Object.fromEntries(
    Object.entries<MetricDefinition>(metricTable).map(([name, definition]) => [
      name,
      createInstrument(definition, registry),
    ]),
  ) as unknown as Instruments;

function createInstrument(
  { type, name, help, labels = [], buckets = [] }: MetricDefinition,
  registry: Registry,
) {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  switch (type) {
    case "counter":
      return new Counter(options);
    case "gauge":
      return new Gauge(options);
    case "histogram":
      return new Histogram({ ...options, buckets: [...buckets] });
    case "probes":
      return new ProbedGauge(registry, name, help, labels[0] ?? "");
  }
}
