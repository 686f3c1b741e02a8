/**
 * Which owned rows to remove because their objects are gone. Many that are gone at once are kept, and stay kept until their objects come
 * back; what goes later is judged by itself. Pure.
 */
import type { ObjectKey } from "./object.ts";

export interface SweepPlan {
  readonly remove: readonly ObjectKey[];
  /** Absent, and kept: of this sweep, and of earlier ones. */
  readonly retained: readonly ObjectKey[];
  /** How many of those this sweep was the first to keep. */
  readonly newlyRetained: number;
  readonly owned: number;
}

/** More than this many, and more than this share of what is owned, is more likely a lost folder than an intention. */
const manyRows = 10;
const manyShare = 0.1;

/** `retainedBefore`: keys that an earlier sweep kept and whose objects did not come back since. */
export function planSweep(
  owned: number,
  absent: readonly ObjectKey[],
  retainedBefore: ReadonlySet<ObjectKey>,
): SweepPlan {
  const kept = absent.filter((key) => retainedBefore.has(key));
  const fresh = absent.filter((key) => !retainedBefore.has(key));
  return fresh.length > manyRows && fresh.length > owned * manyShare
    ? { remove: [], retained: [...kept, ...fresh], newlyRetained: fresh.length, owned }
    : { remove: fresh, retained: kept, newlyRetained: 0, owned };
}
