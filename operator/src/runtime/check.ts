/**
 * A list of named checks that an object has to pass before its rows are written, in the manner of cert-manager's policy chains. The first
 * check that fails gives the condition Ready, and the actions that are carried out nevertheless. Pure.
 */
import type { Ms } from "./clock.ts";
import type { NewCondition } from "./condition.ts";

export interface Check<Input, Action> {
  /** The rule, as an assertion about an object that passes. */
  readonly name: string;
  /** The condition Ready of an object that fails; undefined: the object passes. */
  readonly failure: (input: Input) => NewCondition | undefined;
  /** The actions for an object that fails. */
  readonly actions: (input: Input) => readonly Action[];
  /** Reconcile a failed object again after this time. Absent or undefined: a watch reports the change that it waits for. */
  readonly retryAfter?: (input: Input) => Ms | undefined;
}

export interface FailedCheck<Action> {
  readonly name: string;
  readonly ready: NewCondition;
  readonly actions: readonly Action[];
  readonly requeueAfter?: Ms;
}

/** Returns the first check that fails; undefined: the object passes all checks. */
export function runChecks<Input, Action>(
  checks: readonly Check<Input, Action>[],
  input: Input,
): FailedCheck<Action> | undefined {
  for (const { name, failure, actions, retryAfter } of checks) {
    const condition = failure(input);
    if (condition === undefined) continue;
    const requeueAfter = retryAfter?.(input);
    return {
      name,
      ready: condition,
      actions: actions(input),
      ...(requeueAfter === undefined ? {} : { requeueAfter }),
    };
  }
  return undefined;
}
