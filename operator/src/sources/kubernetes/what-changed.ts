/** Whether a change of an object of ours is more than a status that we wrote ourselves. */
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject, ObjectMeta } from "../../runtime/object.ts";
import type { StoreChange } from "../../runtime/reflected-store.ts";
import { finalizer } from "../../runtime/reconcile-object.ts";
import type { Change } from "../../runtime/source.ts";

/** The generation rises with every change of the spec. */
const fields = ["generation", "deletionTimestamp", "labels", "annotations"] as const;

export function whatChanged(change: StoreChange<KubernetesObject>): Change["what"] {
  if (change.is !== "updated") return "object";
  const [before, after]: readonly ObjectMeta[] = [change.before.metadata, change.after.metadata];
  const isSame = fields.every((field) => isDeepStrictEqual(before?.[field], after?.[field]));
  return isSame && isSameButHeld(before?.finalizers ?? [], after?.finalizers ?? []) ? "status" : "object";
}

/** Our finalizer is put on by a reconcile that goes on from there; the watch may tell of it before the answer to that write is here. */
const isSameButHeld = (before: readonly string[], after: readonly string[]): boolean =>
  isDeepStrictEqual(before, after) ||
  (!before.includes(finalizer) &&
    isDeepStrictEqual(
      before,
      after.filter((name) => name !== finalizer),
    ));
