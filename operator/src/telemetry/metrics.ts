/** Every metric of the operator: one table of names, as controller-runtime names them where it has them. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { QueueObserver } from "../runtime/keyed-queue.ts";

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const queueBuckets = [0.0001, 0.001, 0.01, 0.1, 1, 10, 100];

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers: [registry] });
  return {
    registry,
    reconcileTotal: counter("controller_runtime_reconcile_total", "Reconciles by how they ended", [
      "controller",
      "result",
    ]),
    reconcileErrors: counter("controller_runtime_reconcile_errors_total", "Reconciles that failed", [
      "controller",
    ]),
    reconcileSeconds: histogram(
      "controller_runtime_reconcile_time_seconds",
      "Length of a reconcile",
      ["controller"],
      reconcileBuckets,
    ),
    activeWorkers: gauge("controller_runtime_active_workers", "Reconciles under way", ["controller"]),
    queueDepth: gauge("workqueue_depth", "Keys that wait", ["name"]),
    queueAdds: counter("workqueue_adds_total", "Keys added", ["name"]),
    queueRetries: counter("workqueue_retries_total", "Keys that came back after a failure", ["name"]),
    queueSeconds: histogram(
      "workqueue_queue_duration_seconds",
      "How long a key waited",
      ["name"],
      queueBuckets,
    ),
    workSeconds: histogram(
      "workqueue_work_duration_seconds",
      "How long a key was worked on",
      ["name"],
      queueBuckets,
    ),
    objectsRemoved: counter(
      "strowger_operator_removed_total",
      "Objects whose rows were removed because the object is gone",
      ["controller"],
    ),
    sweepRefused: gauge(
      "strowger_operator_sweep_refused",
      "Absent objects whose rows stay because they are too many at once",
      ["controller"],
    ),
    fileProblems: gauge("strowger_operator_file_problems", "What is wrong with the folder of objects", []),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What a controller's queue reports. */
export function queueObserver(metrics: Metrics, name: string): QueueObserver {
  const depth = metrics.queueDepth.labels(name);
  return {
    added() {
      metrics.queueAdds.labels(name).inc();
      depth.inc();
    },
    taken(waited) {
      depth.dec();
      metrics.queueSeconds.labels(name).observe(waited / 1000);
    },
    finished: (worked) => metrics.workSeconds.labels(name).observe(worked / 1000),
    retried: () => metrics.queueRetries.labels(name).inc(),
  };
}
