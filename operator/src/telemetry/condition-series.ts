/** The conditions of objects as series of metrics: single conditions up to a limit, and the number of all. Pure. */
import type { CommonStatus, KubernetesObject } from "../runtime/object.ts";

export interface ConditionSeries {
  /** Each has the value 1; at most the limit. */
  readonly conditions: readonly ConditionLabels[];
  /** How many objects have a condition of this kind, type, status and reason. */
  readonly counts: readonly ConditionCount[];
  /** How many series the limit omits. */
  readonly omitted: number;
}

export interface ConditionLabels {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
}

export interface ConditionCount {
  readonly labels: {
    readonly kind: string;
    readonly type: string;
    readonly status: string;
    readonly reason: string;
  };
  readonly count: number;
}

/** How many conditions a scrape lists; there can be a hundred thousand users. */
export const maxConditionSeries = 500;

/** For an object that has no condition yet. */
const noCondition = { type: "Ready", status: "Unknown", reason: "" } as const;

/**
 * If the limit is reached, the first of `objects` are listed. All conditions of a SipCluster are listed; of other objects only `Ready`, and
 * only while it is not True. An object without the condition `Ready` counts as Unknown.
 */
export function conditionSeries(
  objects: Iterable<KubernetesObject>,
  limit: number = maxConditionSeries,
): ConditionSeries {
  const conditions: ConditionLabels[] = [];
  const counts = new Map<string, { readonly labels: ConditionCount["labels"]; count: number }>();
  let omitted = 0;
  for (const object of objects) {
    const { kind } = object;
    const { namespace, name } = object.metadata;
    for (const { type, status, reason } of conditionsOf(object)) {
      const id = `${kind} ${type} ${status} ${reason}`;
      const counted = counts.get(id);
      if (counted === undefined) counts.set(id, { labels: { kind, type, status, reason }, count: 1 });
      else counted.count += 1;
      if (kind !== "SipCluster" && (type !== "Ready" || status === "True")) continue;
      if (conditions.length < limit) conditions.push({ kind, namespace, name, type, status });
      else omitted += 1;
    }
  }
  return { conditions, counts: [...counts.values()], omitted };
}

interface Stated {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

function conditionsOf({ status }: KubernetesObject): readonly Stated[] {
  const { conditions = [] } = (status ?? {}) as CommonStatus;
  return conditions.some(({ type }) => type === "Ready") ? conditions : [...conditions, noCondition];
}
