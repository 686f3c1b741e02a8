/** What the pure `decide` of a kind returns: what to do, and what to say about it. */
import type { Ms } from "./clock.ts";
import type { NewCondition } from "./condition.ts";
import type { Reason } from "./reason.ts";

export interface Decision<Action> {
  /** In this order, in one transaction; empty: everything is as it should be, or nothing can be done. */
  readonly actions: readonly Action[];
  /** The condition `Ready`, once the actions are done. */
  readonly ready: NewCondition;
  /** Fields of the status beside the conditions. */
  readonly status: Readonly<Record<string, unknown>>;
  /** Look again after this time, because what it waits for tells nobody. */
  readonly requeueAfter?: Ms;
  /** Whether the object is to be held back (finalizer) while it is being deleted; undefined: as it is. */
  readonly needsFinalizer?: boolean;
  /** The actions give up a name that another object may wait for. */
  readonly freesName?: boolean;
  /** The actions may well have another cause than somebody else's change of the rows: a Secret that was rotated, a leave that was withdrawn. */
  readonly isExpectedChange?: boolean;
}

export const ready = (message: string): NewCondition => ({
  type: "Ready",
  status: "True",
  reason: "Reconciled",
  message,
});

export const notReady = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "False",
  reason,
  message,
});
