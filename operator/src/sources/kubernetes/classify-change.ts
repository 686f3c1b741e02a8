/** Separates changes of the status alone, which the operator wrote itself, from other changes of an object. */
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject, ObjectMeta } from "../../runtime/object.ts";
import type { StoreChange } from "../../runtime/reflected-store.ts";
import { finalizer } from "../../runtime/reconcile-object.ts";
import type { Change } from "../../runtime/source.ts";

/** The generation increases with every change of the spec. */
const fields = ["generation", "deletionTimestamp", "labels", "annotations"] as const;

export function classifyChange(change: StoreChange<KubernetesObject>): Change["what"] {
  if (change.is !== "updated") return "object";
  const [before, after]: readonly ObjectMeta[] = [change.before.metadata, change.after.metadata];
  const isSame = fields.every((field) => isDeepStrictEqual(before?.[field], after?.[field]));
  return isSame && differOnlyByAddedFinalizer(before?.finalizers ?? [], after?.finalizers ?? [])
    ? "status"
    : "object";
}

/** A reconcile adds our finalizer and continues, so this change needs no other reconcile. The watch may report it before the write's answer. */
const differOnlyByAddedFinalizer = (before: readonly string[], after: readonly string[]): boolean =>
  isDeepStrictEqual(before, after) ||
  (!before.includes(finalizer) &&
    isDeepStrictEqual(
      before,
      after.filter((name) => name !== finalizer),
    ));
