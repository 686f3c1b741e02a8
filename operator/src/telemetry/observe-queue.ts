/** The queue of a controller as metrics. */
import type { Ms } from "../runtime/clock.ts";
import type { QueueObserver } from "../runtime/keyed-queue.ts";
import type { Metrics } from "./metrics.ts";

export function observeQueue(metrics: Metrics, name: string): QueueObserver {
  const depth = metrics.queueDepth.labels(name);
  return {
    attached(underWay) {
      metrics.unfinishedWork.add(name, () => secondsOf(underWay()).reduce((sum, each) => sum + each, 0));
      metrics.longestRunning.add(name, () =>
        secondsOf(underWay()).reduce((longest, each) => Math.max(longest, each), 0),
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

const secondsOf = (lengths: readonly Ms[]): readonly number[] => lengths.map((length) => length / 1000);
