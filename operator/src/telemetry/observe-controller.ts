/** A controller's life as metrics and log lines. */
import type { Logger } from "pino";
import type { ControllerObserver } from "../runtime/controller.ts";
import { queueObserver, type Metrics } from "./metrics.ts";

/** `onFailure` also hears of every failed reconcile. */
export function observeController(
  kind: string,
  metrics: Metrics,
  log: Logger,
  onFailure: (cause: unknown) => void,
): ControllerObserver {
  return {
    queue: queueObserver(metrics, kind),
    reconcile: {
      started: () => metrics.activeWorkers.labels(kind).inc(),
      finished(result, seconds) {
        metrics.activeWorkers.labels(kind).dec();
        metrics.reconcileTotal.labels(kind, result).inc();
        metrics.reconcileSeconds.labels(kind).observe(seconds);
      },
      failed(key, cause, retryIn) {
        metrics.reconcileErrors.labels(kind).inc();
        log.debug({ kind, key, retryIn: Math.round(retryIn), err: cause }, "reconcile failed");
        onFailure(cause);
      },
    },
    removed: () => metrics.objectsRemoved.labels(kind).inc(),
    planned(sweep) {
      metrics.sweepRefused.labels(kind).set(sweep.kind === "refused" ? sweep.absent : 0);
      if (sweep.kind === "remove") return;
      const { absent, owned } = sweep;
      log.error(
        { kind, absent, owned },
        "too many objects are gone at once, no row is removed: remove at most 10, or 10 %, at a time",
      );
    },
  };
}
