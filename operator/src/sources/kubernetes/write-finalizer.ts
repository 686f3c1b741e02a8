/** Adds our finalizer to an object, or removes it. Finalizers of other programs are not changed. */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { describePlace, type ResourceType } from "../../adapters/kube/resource-type.ts";
import { finalizer } from "../../runtime/reconcile-object.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "../../runtime/object.ts";

const maxAttempts = 5;

/**
 * `known` is the last known version of the object; after a conflict the object is read again. Returns the object after the write; undefined
 * if no write was necessary. Throws if the finalizer cannot be added: the object does not exist, is being deleted, or is another object
 * with the same name.
 */
export async function writeFinalizer(
  client: KubeClient,
  type: ResourceType,
  key: ObjectKey,
  isPresent: boolean,
  known: KubernetesObject | undefined,
): Promise<KubernetesObject | undefined> {
  let object = known;
  for (let attempt = 1; ; attempt += 1) {
    try {
      object ??= await client.get<KubernetesObject>(type, splitKey(key));
      const isOther = known !== undefined && known.metadata.uid !== object.metadata.uid;
      if (isOther && !isPresent) return undefined;
      const finalizers = changedFinalizers(object, isPresent);
      const isBeingDeleted = object.metadata.deletionTimestamp !== undefined;
      if (isPresent && (isOther || (isBeingDeleted && finalizers !== undefined)))
        throw new Error(
          `${describePlace(type, splitKey(key))} is ${isOther ? "another object with the same name" : "being deleted"}`,
        );
      if (finalizers === undefined) return undefined;
      const { uid, resourceVersion } = object.metadata;
      const patch = { metadata: { uid, resourceVersion, finalizers } };
      return await client.mergePatch<KubernetesObject>(type, splitKey(key), patch, {
        fieldManager: "strowger-operator",
      });
    } catch (error) {
      if (!isPresent && isAbsence(error, type, splitKey(key).name)) return undefined;
      if (!isConflict(error) || attempt >= maxAttempts) throw error;
      object = undefined;
    }
  }
}

/** The new list of finalizers; undefined if no change is needed. */
function changedFinalizers(
  { metadata }: KubernetesObject,
  isPresent: boolean,
): readonly string[] | undefined {
  const { finalizers = [] } = metadata;
  if (finalizers.includes(finalizer) === isPresent) return undefined;
  return isPresent ? [...finalizers, finalizer] : finalizers.filter((other) => other !== finalizer);
}
