/** Conditions of a status (Kubernetes API conventions, "Typical status properties"). */
import type { Reason } from "./reason.ts";
import { rfc3339 } from "./rfc3339.ts";

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, for programs. */
  readonly reason: string;
  /** One sentence, for people. */
  readonly message: string;
  /** RFC 3339; when `status` last changed. */
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** A condition in a decision. Its time and generation are added when it is written. */
export type NewCondition = Pick<Condition, "type" | "status" | "message"> & { readonly reason: Reason };

/**
 * Replaces the condition of the same type in `conditions`, or adds it. The transition time changes only with the status, so an unchanged
 * condition gives an equal list.
 */
export function setCondition(
  conditions: readonly Condition[],
  added: NewCondition,
  observedGeneration: number,
  now: number,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === added.type);
  const lastTransitionTime = before?.status === added.status ? before.lastTransitionTime : rfc3339(now);
  const condition = { ...added, lastTransitionTime, observedGeneration };
  return before === undefined
    ? [...conditions, condition]
    : conditions.map((other) => (other === before ? condition : other));
}

/** Seconds are as fine as the Kubernetes API keeps a Time. */
