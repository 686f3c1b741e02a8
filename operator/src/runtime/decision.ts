/** The result of a kind's pure `decide`: the actions to carry out, and the status to write after them. */
import type { Ms } from "./clock.ts";
import type { NewCondition } from "./condition.ts";
import type { Reason } from "./reason.ts";

export interface Decision<Action> {
  /** Carried out in this order, in one transaction. Empty: nothing has to change, or nothing can be done. */
  readonly actions: readonly Action[];
  /** The conditions that hold once the actions are done, at most one of each type. One of them is `Ready`. */
  readonly conditions: readonly NewCondition[];
  /** Fields of the status beside the conditions. */
  readonly status: Readonly<Record<string, unknown>>;
  /** Reconcile again after this time, because no watch reports the change that the object waits for. */
  readonly requeueAfter?: Ms;
  /** Whether the object needs our finalizer. Undefined: the finalizer stays as it is. */
  readonly needsFinalizer?: boolean;
  /** The actions free a name that another object may wait for. */
  readonly freesName?: boolean;
  /** The actions may follow from a rotated Secret or a changed permission. They do not prove that another program changed the rows. */
  readonly isExpectedChange?: boolean;
}

/** A decision before its conditions are listed: each kind adds its other conditions in its `decide.ts`. */
export interface DecisionDraft<Action> extends Omit<Decision<Action>, "conditions"> {
  readonly ready: NewCondition;
}

/** The condition Ready with the status True. */
export const ready = (message: string): NewCondition => ({
  type: "Ready",
  status: "True",
  reason: "Reconciled",
  message,
});

/** The condition Ready with the status False. */
export const notReady = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "False",
  reason,
  message,
});
