/** Conditions of a status (Kubernetes API conventions, "Typical status properties"). */
import type { Reason } from "./reason.ts";
import { rfc3339 } from "./rfc3339.ts";

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, one word for a program. */
  readonly reason: string;
  /** One sentence for a person. */
  readonly message: string;
  /** RFC 3339; when `status` last changed. */
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** A condition as a decision states it; the time is added when it is written. */
export type NewCondition = Pick<Condition, "type" | "status" | "message"> & { readonly reason: Reason };

/**
 * `conditions` with `verdict` in the place of the one of its type. The time of transition moves only when the status flips, so that an
 * unchanged verdict leaves an equal list.
 */
export function setCondition(
  conditions: readonly Condition[],
  verdict: NewCondition,
  observedGeneration: number,
  now: number,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === verdict.type);
  const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : rfc3339(now);
  const condition = { ...verdict, lastTransitionTime, observedGeneration };
  return before === undefined
    ? [...conditions, condition]
    : conditions.map((other) => (other === before ? condition : other));
}

/** Seconds are as fine as the Kubernetes API keeps a Time. */
