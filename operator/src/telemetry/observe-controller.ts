/** A controller's life as metrics and log lines. */
import type { Logger } from "pino";
import type { ControllerObserver } from "../runtime/controller.ts";
import { TerminalError } from "../runtime/reconcile-loop.ts";
import { queueObserver, type Metrics } from "./metrics.ts";

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
        if (cause instanceof TerminalError) metrics.terminalErrors.labels(kind).inc();
        const isOurs = isMistake(cause);
        if (isOurs) metrics.reconcilePanics.labels(kind).inc();
        const retry = retryIn === undefined ? {} : { retryIn: Math.round(retryIn) };
        log[isOurs ? "error" : "debug"]({ kind, key, ...retry, err: cause }, "reconcile failed");
      },
    },
    removed: () => metrics.objectsRemoved.labels(kind).inc(),
    repaired: () => metrics.driftCorrected.labels(kind).inc(),
    planned(sweep) {
      const { retained, newlyRetained, owned } = sweep;
      metrics.sweepRefused.labels(kind).set(retained.length);
      if (newlyRetained === 0) return;
      log.error(
        { kind, absent: newlyRetained, owned, keys: retained.slice(0, mostKeys) },
        "too many objects are gone at once: their rows stay until the objects are back; remove at most 10, or 10 %, at a time",
      );
    },
  };
}

/** So many names are in one line of the log. */
const mostKeys = 100;

/** An error that only a mistake in this program makes; what other programs call a panic. */
const isMistake = (cause: unknown): boolean =>
  cause instanceof TypeError || cause instanceof ReferenceError || cause instanceof RangeError;
