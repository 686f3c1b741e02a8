/** Every metric of the operator: one table of names, as controller-runtime names them where it has them. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { QueueObserver } from "../runtime/keyed-queue.ts";
import type { Ms } from "../runtime/clock.ts";
import { ObjectGauges } from "./object-gauges.ts";
import { ProbedGauge } from "./probed-gauge.ts";

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const clientBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
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
  const probed = <Label extends string>(name: string, help: string, labelName: Label) =>
    new ProbedGauge(registry, name, help, labelName);
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
    terminalErrors: counter(
      "controller_runtime_terminal_reconcile_errors_total",
      "Reconciles that failed and are not tried again before something changes",
      ["controller"],
    ),
    reconcilePanics: counter(
      "controller_runtime_reconcile_panics_total",
      "Reconciles that failed by a mistake in this program",
      ["controller"],
    ),
    maxConcurrentReconciles: gauge(
      "controller_runtime_max_concurrent_reconciles",
      "Reconciles that may be under way at the same time",
      ["controller"],
    ),
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
    unfinishedWork: probed(
      "workqueue_unfinished_work_seconds",
      "Time that the keys under way have been worked on, in all",
      "name",
    ),
    longestRunning: probed(
      "workqueue_longest_running_processor_seconds",
      "How long the key that is under way longest has been worked on",
      "name",
    ),
    clientRequests: counter(
      "rest_client_requests_total",
      "Requests to the API server, each attempt counted",
      ["code", "method", "host"],
    ),
    clientSeconds: histogram(
      "rest_client_request_duration_seconds",
      "From a request to the API server to the head of its answer",
      ["verb", "host"],
      clientBuckets,
    ),
    isLeader: gauge(
      "leader_election_master_status",
      "1 where this process is the leader, 0 where it is not",
      ["name"],
    ),
    lastEventAge: probed(
      "strowger_operator_reflector_last_event_age_seconds",
      "Since the API server last said anything about this type: a list, an event or a bookmark",
      "type",
    ),
    reflectorFailures: counter(
      "strowger_operator_reflector_failures_total",
      "Lists and watches that failed and were begun again",
      ["type"],
    ),
    objectsRemoved: counter(
      "strowger_operator_removed_total",
      "Objects whose rows were removed because the object is gone",
      ["controller"],
    ),
    driftCorrected: counter(
      "strowger_operator_drift_corrected_total",
      "Objects whose rows somebody else had changed, and that are as they should be again",
      ["controller"],
    ),
    sweepRefused: gauge(
      "strowger_operator_sweep_refused",
      "Absent objects whose rows stay because too many were gone at once",
      ["controller"],
    ),
    bindings: probed(
      "strowger_bindings",
      "Current bindings in the database of a SipCluster (namespace/name), counted by the leader",
      "cluster",
    ),
    objects: new ObjectGauges(registry),
    databaseReplaced: counter(
      "strowger_operator_database_replaced_total",
      "How often the database of a SipCluster (namespace/name) was found emptied or replaced by another one",
      ["cluster"],
    ),
    fileProblems: gauge("strowger_operator_file_problems", "What is wrong with the folder of objects", []),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What a controller's queue reports. */
export function queueObserver(metrics: Metrics, name: string): QueueObserver {
  const depth = metrics.queueDepth.labels(name);
  return {
    attached(underWay) {
      metrics.unfinishedWork.add(name, () => seconds(underWay()).reduce((sum, each) => sum + each, 0));
      metrics.longestRunning.add(name, () =>
        seconds(underWay()).reduce((longest, each) => Math.max(longest, each), 0),
      );
    },
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

const seconds = (lengths: readonly Ms[]): readonly number[] => lengths.map((length) => length / 1000);
