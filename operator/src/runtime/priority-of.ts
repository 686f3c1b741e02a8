/** How urgent a look at an object is (ADR 34): nobody waits for a mass of others, and what is to end goes first. Pure. */
import { isReadyObject } from "./is-ready-object.ts";
import type { Priority } from "./keyed-queue.ts";
import type { CommonStatus, KubernetesObject } from "./object.ts";

/**
 * What makes somebody look: a change of the object, of its Secret, of something else that it depends on; a database that is back; or
 * nothing that is known.
 */
export type Cause = "object" | "secret" | "dependency" | "recovery" | "resync";

/** What only a kind can tell. Both absent: nothing. */
export interface KindRules {
  /** Whether the spec says that a service ends that the object may have had. */
  endsService?(object: KubernetesObject): boolean;
  /** Whether a Secret is known to be another one than the status says. */
  hasOutdatedSecret?(object: KubernetesObject): boolean;
}

/** `object` is undefined where it is gone. A new leader asks with `resync`: what changed unseen is not looked at last. */
export function priorityOf(object: KubernetesObject | undefined, cause: Cause, kind: KindRules): Priority {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return "revocation";
  const { observedGeneration } = (object.status ?? {}) as CommonStatus;
  const isEdited = observedGeneration !== object.metadata.generation;
  if (isEdited && kind.endsService?.(object) === true) return "revocation";
  if (observedGeneration === undefined) return "creation";
  const isServed = isReadyObject(object);
  const hasOutdatedSecret = kind.hasOutdatedSecret?.(object) === true;
  // An earlier password ends: of who is served, and of who is refused and had a credential in force. Who had none is waiting to begin.
  if (isServed ? cause === "secret" || hasOutdatedSecret : cause === "secret" && hasOutdatedSecret)
    return "revocation";
  if (isEdited || cause === "object") return "edit";
  if (cause === "resync" || (cause === "recovery" && isServed)) return "resync";
  return cause === "secret" ? "creation" : "dependency";
}
