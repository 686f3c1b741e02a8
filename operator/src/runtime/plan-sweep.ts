/**
 * Plans which rows to remove because their objects are gone. If many objects are gone at once, their rows are retained until the objects come
 * back. Objects that are gone later are counted separately. Pure.
 */
import type { ObjectKey } from "./object.ts";

export interface SweepPlan {
  readonly remove: readonly ObjectKey[];
  /** Absent objects whose rows are retained, by this sweep and by earlier ones. */
  readonly retained: readonly ObjectKey[];
  /** The number of keys that this sweep retains for the first time. */
  readonly newlyRetained: number;
  readonly owned: number;
}

/** More absent objects than this number, and than this share of all owners, are more likely a lost folder than an intended removal. */
const manyRows = 10;
const manyShare = 0.1;

/** `retainedBefore`: keys that an earlier sweep retained and whose objects have not come back. */
export function planSweep(
  owned: number,
  absent: readonly ObjectKey[],
  retainedBefore: ReadonlySet<ObjectKey>,
): SweepPlan {
  const known = absent.filter((key) => retainedBefore.has(key));
  const fresh = absent.filter((key) => !retainedBefore.has(key));
  return fresh.length > manyRows && fresh.length > owned * manyShare
    ? { remove: [], retained: [...known, ...fresh], newlyRetained: fresh.length, owned }
    : { remove: fresh, retained: known, newlyRetained: 0, owned };
}
