/**
 * The metrics of the operator that its code sets, and the gauges with a probe for each label. Names are those of controller-runtime where it
 * has the metric. Times are in seconds. `object-gauges.ts` has the metrics that are computed from the objects.
 */

export interface MetricDefinition {
  /** `probes`: a gauge whose series are read when they are scraped. It has one label. */
  readonly type: "counter" | "gauge" | "histogram" | "probes";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const clientBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const queueBuckets = [0.0001, 0.001, 0.01, 0.1, 1, 10, 100];

export const metricTable = {
  reconcileTotal: {
    type: "counter",
    name: "controller_runtime_reconcile_total",
    help: "Reconciles by their result",
    labels: ["controller", "result"],
  },
  reconcileErrors: {
    type: "counter",
    name: "controller_runtime_reconcile_errors_total",
    help: "Reconciles that failed",
    labels: ["controller"],
  },
  reconcileSeconds: {
    type: "histogram",
    name: "controller_runtime_reconcile_time_seconds",
    help: "Duration of a reconcile",
    labels: ["controller"],
    buckets: reconcileBuckets,
  },
  activeWorkers: {
    type: "gauge",
    name: "controller_runtime_active_workers",
    help: "Reconciles that are running",
    labels: ["controller"],
  },
  terminalErrors: {
    type: "counter",
    name: "controller_runtime_terminal_reconcile_errors_total",
    help: "Always 0: every failed reconcile is tried again",
    labels: ["controller"],
  },
  reconcilePanics: {
    type: "counter",
    name: "controller_runtime_reconcile_panics_total",
    help: "Reconciles that failed because of a programming mistake",
    labels: ["controller"],
  },
  maxConcurrentReconciles: {
    type: "gauge",
    name: "controller_runtime_max_concurrent_reconciles",
    help: "Reconciles that may run at the same time",
    labels: ["controller"],
  },
  queueDepth: {
    type: "gauge",
    name: "workqueue_depth",
    help: "Keys that wait",
    labels: ["name"],
  },
  queueAdds: {
    type: "counter",
    name: "workqueue_adds_total",
    help: "Keys added",
    labels: ["name"],
  },
  queueRetries: {
    type: "counter",
    name: "workqueue_retries_total",
    help: "Keys that were added again after a failure",
    labels: ["name"],
  },
  queueSeconds: {
    type: "histogram",
    name: "workqueue_queue_duration_seconds",
    help: "Time that a key waited",
    labels: ["name"],
    buckets: queueBuckets,
  },
  workSeconds: {
    type: "histogram",
    name: "workqueue_work_duration_seconds",
    help: "Time that the work on a key took",
    labels: ["name"],
    buckets: queueBuckets,
  },
  unfinishedWork: {
    type: "probes",
    name: "workqueue_unfinished_work_seconds",
    help: "Sum of the times since the work on each current key began",
    labels: ["name"],
  },
  longestRunning: {
    type: "probes",
    name: "workqueue_longest_running_processor_seconds",
    help: "Time since the work on the oldest current key began",
    labels: ["name"],
  },
  clientRequests: {
    type: "counter",
    name: "rest_client_requests_total",
    help: "Requests to the API server; each attempt counts",
    labels: ["code", "method", "host"],
  },
  clientSeconds: {
    type: "histogram",
    name: "rest_client_request_duration_seconds",
    help: "Time from a request to the API server to the head of its response",
    labels: ["verb", "host"],
    buckets: clientBuckets,
  },
  isLeader: {
    type: "gauge",
    name: "leader_election_master_status",
    help: "1 if this process is the leader, otherwise 0",
    labels: ["name"],
  },
  lastEventAge: {
    type: "probes",
    name: "strowger_operator_reflector_last_event_age_seconds",
    help: "Time since the last list, event or bookmark of this type from the API server",
    labels: ["type"],
  },
  reflectorFailures: {
    type: "counter",
    name: "strowger_operator_reflector_failures_total",
    help: "Lists and watches that failed and were started again",
    labels: ["type"],
  },
  objectsRemoved: {
    type: "counter",
    name: "strowger_operator_removed_total",
    help: "Objects whose rows were removed because the object is gone",
    labels: ["controller"],
  },
  driftCorrected: {
    type: "counter",
    name: "strowger_operator_drift_corrected_total",
    help: "Objects whose rows another program had changed, and that the operator corrected",
    labels: ["controller"],
  },
  sweepRefused: {
    type: "gauge",
    name: "strowger_operator_sweep_refused",
    help: "Absent objects whose rows stay because too many were gone at once",
    labels: ["controller"],
  },
  bindings: {
    type: "probes",
    name: "strowger_bindings",
    help: "Current bindings in the database of a SipCluster (namespace/name), counted by the leader",
    labels: ["cluster"],
  },
  databaseReplaced: {
    type: "counter",
    name: "strowger_operator_database_replaced_total",
    help: "How often the database of a SipCluster (namespace/name) was found emptied, or replaced by another database",
    labels: ["cluster"],
  },
  fileProblems: {
    type: "gauge",
    name: "strowger_operator_file_problems",
    help: "Problems in the folder of objects",
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
