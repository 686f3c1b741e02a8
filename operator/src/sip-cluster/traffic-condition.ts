/** The condition TrafficOnOneNode: whether one node receives all requests of the phones, over some minutes. Pure. */
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Reason } from "../runtime/reason.ts";

/** For each live node, by its id: new requests from phones in the last minute. */
export interface TrafficSample {
  readonly at: number;
  readonly requests: ReadonlyMap<string, number>;
}

const sampleEvery: Ms = 30_000;
const window: Ms = 300_000;
/** Requests per minute, on average. Fewer may come from a few phones that reach the same node by chance. */
const enough = 60;
/** One node receives all traffic if the other nodes together receive less than this share. */
const negligibleShare = 0.01;

export const notWatchedYet = {
  type: "TrafficOnOneNode",
  status: "Unknown",
  reason: "NotWatchedYet",
  message: "the first result needs five minutes of traffic",
} as const;

/** Adds `sample` where the last sample is old enough, and drops samples that are too old. */
export function addSample(
  samples: readonly TrafficSample[],
  sample: TrafficSample,
): readonly TrafficSample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.at - last.at < sampleEvery) return samples;
  return [...samples.filter(({ at }) => sample.at - at <= window), sample];
}

/** Undefined: the samples do not cover the window yet. `nameOf` returns the pod of a node. */
export function buildTrafficCondition(
  samples: readonly TrafficSample[],
  nameOf: (node: string) => string,
): NewCondition | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < window - sampleEvery)
    return undefined;
  const throughout = [...last.requests.keys()].filter((id) =>
    samples.every(({ requests }) => requests.has(id)),
  );
  if (throughout.length < 2)
    return build("Unknown", "OneNode", "fewer than two nodes ran during all of the last five minutes");
  const totals = throughout.map((id) => ({
    id,
    mean: samples.reduce((sum, { requests }) => sum + (requests.get(id) ?? 0), 0) / samples.length,
  }));
  const all = totals.reduce((sum, { mean }) => sum + mean, 0);
  if (all < enough)
    return build(
      "Unknown",
      "LittleTraffic",
      `fewer than ${enough} requests a minute: too few to tell how they are distributed`,
    );
  const most = totals.reduce((a, b) => (b.mean > a.mean ? b : a));
  if (all - most.mean > all * negligibleShare)
    return build(
      "False",
      "Spread",
      `the requests of phones reach ${totals.filter(({ mean }) => mean > 0).length} nodes`,
    );
  return build(
    "True",
    "OneNodeGetsAll",
    `every request of the last minutes reached ${nameOf(most.id)}, none the other ${totals.length - 1}; check whether phones come from one address (a trunk, or NAT before the load balancer), whether the load balancer knows all hosts with a ready pod, and whether the Service has sessionAffinity`,
  );
}

const build = (status: NewCondition["status"], reason: Reason, message: string): NewCondition => ({
  type: "TrafficOnOneNode",
  status,
  reason,
  message,
});
