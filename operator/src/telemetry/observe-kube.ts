/** Requests to the API server, watches and the election as metrics and log lines. */
import type { Logger } from "pino";
import type { KubeObserver } from "../adapters/kube/api-requests.ts";
import type { ElectorObserver } from "../runtime/leader-elector.ts";
import type { SourceObserver } from "../sources/kubernetes/kubernetes-source.ts";
import type { Metrics } from "./metrics.ts";

export const observeClient = (metrics: Metrics): KubeObserver => ({
  requested({ method, host, code, seconds }) {
    metrics.clientRequests.labels(`${code ?? "<error>"}`, method, host).inc();
    metrics.clientSeconds.labels(method, host).observe(seconds);
  },
});

/** Short failures are normal, as in a rollout of the API server. A longer back-off gets a warning. */
const warnFromMs = 10_000;

export const observeSource = (metrics: Metrics, log: Logger): SourceObserver => ({
  reflecting(type, age) {
    metrics.lastEventAge.add(type, () => age() / 1000);
    metrics.reflectorFailures.labels(type).inc(0);
  },
  failed(type, cause, retryIn) {
    metrics.reflectorFailures.labels(type).inc();
    const level = retryIn >= warnFromMs ? "warn" : "info";
    log[level](
      { type, retryIn: Math.round(retryIn), reason: (cause as Error).message },
      "list or watch failed; tried again",
    );
  },
  handlerFailed: (type, cause) => log.error({ type, err: cause }, "a change could not be handled"),
  waits: (why) => log.error(why),
  eventFailed: (cause) => log.warn({ reason: (cause as Error).message }, "an Event was not written"),
});

/** `name`: of the Lease. `elected` and `lost` are called after the metric is set and the line is logged. */
export function observeElector(
  name: string,
  metrics: Metrics,
  log: Logger,
  on: { readonly elected: () => void; readonly lost: (why: string) => void },
): ElectorObserver {
  const isLeader = metrics.isLeader.labels(name);
  isLeader.set(0);
  return {
    elected() {
      isLeader.set(1);
      log.info({ lease: name }, "leader");
      on.elected();
    },
    lost(why) {
      isLeader.set(0);
      log.error({ lease: name }, `no longer leader: ${why}`);
      on.lost(why);
    },
    follows: (leader) => log.info({ lease: name, leader }, "another replica is the leader"),
    failed: (cause) =>
      log.warn({ lease: name, reason: (cause as Error).message }, "the Lease could not be read or written"),
  };
}
