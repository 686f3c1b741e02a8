/** Which owned rows to remove because their objects are gone; refuses to remove many at once. Pure. */
import type { ObjectKey } from "./object.ts";

export type SweepPlan =
  | { readonly kind: "remove"; readonly keys: readonly ObjectKey[] }
  | { readonly kind: "refused"; readonly absent: number; readonly owned: number };

/** More than this many, and more than this share of what is owned, is more likely a lost folder than an intention. */
const manyRows = 10;
const manyShare = 0.1;

export function planSweep(owned: number, absent: readonly ObjectKey[]): SweepPlan {
  return absent.length > manyRows && absent.length > owned * manyShare
    ? { kind: "refused", absent: absent.length, owned }
    : { kind: "remove", keys: absent };
}
