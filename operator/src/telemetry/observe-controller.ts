/** The events of a controller as metrics and log lines. */
import type { Logger } from "pino";
import type { ControllerObserver } from "../runtime/controller.ts";
import type { Metrics } from "./metrics.ts";
import { observeQueue } from "./observe-queue.ts";

/** `workers` is how many reconciles of the kind run at the same time. */
export function observeController(
  kind: string,
  metrics: Metrics,
  log: Logger,
  workers: number,
): ControllerObserver {
  metrics.terminalErrors.labels(kind).inc(0);
  metrics.reconcilePanics.labels(kind).inc(0);
  metrics.driftCorrected.labels(kind).inc(0);
  metrics.maxConcurrentReconciles.labels(kind).set(workers);
  return {
    queue: observeQueue(metrics, kind),
    reconcile: {
      started: () => metrics.activeWorkers.labels(kind).inc(),
      finished(result, seconds) {
        metrics.activeWorkers.labels(kind).dec();
        metrics.reconcileTotal.labels(kind, result).inc();
        metrics.reconcileSeconds.labels(kind).observe(seconds);
      },
      failed(key, cause, retryIn) {
        metrics.reconcileErrors.labels(kind).inc();
        const isMistake = isProgrammingMistake(cause);
        if (isMistake) metrics.reconcilePanics.labels(kind).inc();
        const retry = retryIn === undefined ? {} : { retryIn: Math.round(retryIn) };
        log[isMistake ? "error" : "debug"]({ kind, key, ...retry, err: cause }, "reconcile failed");
      },
    },
    removed: () => metrics.objectsRemoved.labels(kind).inc(),
    repaired: () => metrics.driftCorrected.labels(kind).inc(),
    planned(sweep) {
      const { retained, newlyRetained, owned } = sweep;
      metrics.sweepRefused.labels(kind).set(retained.length);
      if (newlyRetained === 0) return;
      log.error(
        { kind, absent: newlyRetained, owned, keys: retained.slice(0, maxKeys) },
        "too many objects are gone at once: their rows stay until the objects are back; remove at most 10, or 10 %, at a time",
      );
    },
  };
}

/** How many keys one log line may list. */
const maxKeys = 100;

/** JavaScript throws these for mistakes in the program; Go calls them panics. */
const isProgrammingMistake = (cause: unknown): boolean =>
  cause instanceof TypeError || cause instanceof ReferenceError || cause instanceof RangeError;
