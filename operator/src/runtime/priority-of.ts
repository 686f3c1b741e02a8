/** The priority of a reconcile (ADR 34): removals come first, and one object does not wait for a mass of others. Pure. */
import { isReadyObject } from "./is-ready-object.ts";
import type { Priority } from "./keyed-queue.ts";
import type { CommonStatus, KubernetesObject } from "./object.ts";

/** The cause of a reconcile: a change of the object, of its Secret or of another dependency; a database that is reachable again; a resync. */
export type Cause = "object" | "secret" | "dependency" | "recovery" | "resync";

/** The rules of a kind. Absent: the answer is always false. */
export interface KindRules {
  /** Whether the spec ends a service that the object may have had. */
  endsService?(object: KubernetesObject): boolean;
  /** Whether the Secret is known to be newer than the Secret in the status. */
  hasOutdatedSecret?(object: KubernetesObject): boolean;
}

/** `object` is undefined if it is gone. After a start the cause is `resync`; objects that changed in the meantime are still recognised. */
export function priorityOf(object: KubernetesObject | undefined, cause: Cause, kind: KindRules): Priority {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return "revocation";
  const { observedGeneration } = (object.status ?? {}) as CommonStatus;
  const isEdited = observedGeneration !== object.metadata.generation;
  if (isEdited && kind.endsService?.(object) === true) return "revocation";
  if (observedGeneration === undefined) return "creation";
  const isServed = isReadyObject(object);
  const hasOutdatedSecret = kind.hasOutdatedSecret?.(object) === true;
  // An earlier password must stop working: of a served user, and of a refused user with a stored credential. Without one, nothing has to end.
  if (isServed ? cause === "secret" || hasOutdatedSecret : cause === "secret" && hasOutdatedSecret)
    return "revocation";
  if (isEdited || cause === "object") return "edit";
  if (cause === "resync" || (cause === "recovery" && isServed)) return "resync";
  return cause === "secret" ? "creation" : "dependency";
}
