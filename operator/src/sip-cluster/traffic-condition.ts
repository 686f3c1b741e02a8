/** Whether the phones' requests reach all nodes or one only, over some minutes. Pure. */
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Reason } from "../runtime/reason.ts";

/** New requests in the last minute that each live node had from phones, by the node's id. */
export interface TrafficSample {
  readonly at: number;
  readonly requests: ReadonlyMap<string, number>;
}

const sampleEvery: Ms = 30_000;
const window: Ms = 300_000;
/** Requests a minute, on average; less may come from a few phones that happen to meet on one node. */
const enough = 60;
/** A node gets all of it if the others together get less than this share. */
const crumbs = 0.01;

/** The samples with `sample`, if the last one is old enough, and without those that are too old. */
export function addSample(
  samples: readonly TrafficSample[],
  sample: TrafficSample,
): readonly TrafficSample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.at - last.at < sampleEvery) return samples;
  return [...samples.filter(({ at }) => sample.at - at <= window), sample];
}

/** Undefined: not watched long enough to say anything, or anything else than before. `nameOf` gives the pod of a node. */
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
    return verdict("Unknown", "OneNode", "fewer than two nodes lived through the last minutes");
  const totals = throughout.map((id) => ({
    id,
    mean: samples.reduce((sum, { requests }) => sum + (requests.get(id) ?? 0), 0) / samples.length,
  }));
  const all = totals.reduce((sum, { mean }) => sum + mean, 0);
  if (all < enough)
    return verdict(
      "Unknown",
      "LittleTraffic",
      `fewer than ${enough} requests a minute tell nothing about their way`,
    );
  const most = totals.reduce((a, b) => (b.mean > a.mean ? b : a));
  if (all - most.mean > all * crumbs)
    return verdict(
      "False",
      "Spread",
      `the requests of phones reach ${totals.filter(({ mean }) => mean > 0).length} nodes`,
    );
  return verdict(
    "True",
    "OneNodeGetsAll",
    `every request of the last minutes reached ${nameOf(most.id)}, none the other ${totals.length - 1}; check whether phones come from one address (a trunk, or NAT before the load balancer), whether the load balancer knows all hosts with a ready pod, and whether the Service has sessionAffinity`,
  );
}

const verdict = (status: NewCondition["status"], reason: Reason, message: string): NewCondition => ({
  type: "TrafficOnOneNode",
  status,
  reason,
  message,
});
