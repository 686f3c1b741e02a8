/** Puts the finalizer on an object of ours or takes it off, and leaves those of others as they are. */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { describePlace, type ResourceType } from "../../adapters/kube/resource-type.ts";
import { finalizer } from "../../runtime/reconcile-object.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "../../runtime/object.ts";

const mostAttempts = 5;

/**
 * `known` is the object as it was last seen; where somebody wrote it since, it is read again. Returns the object as it is then; undefined
 * where nothing had to be written. Throws where an object cannot be held back: it is gone, going, or another one by now.
 */
export async function holdBack(
  client: KubeClient,
  type: ResourceType,
  key: ObjectKey,
  isHeld: boolean,
  known: KubernetesObject | undefined,
): Promise<KubernetesObject | undefined> {
  let object = known;
  for (let attempt = 1; ; attempt += 1) {
    try {
      object ??= await client.get<KubernetesObject>(type, splitKey(key));
      const isOther = known !== undefined && known.metadata.uid !== object.metadata.uid;
      if (isOther && !isHeld) return undefined;
      const finalizers = wanted(object, isHeld);
      const isGoing = object.metadata.deletionTimestamp !== undefined;
      if (isHeld && (isOther || (isGoing && finalizers !== undefined)))
        throw new Error(
          `${describePlace(type, splitKey(key))} is ${isOther ? "another object by now" : "being deleted"}`,
        );
      if (finalizers === undefined) return undefined;
      const { uid, resourceVersion } = object.metadata;
      const patch = { metadata: { uid, resourceVersion, finalizers } };
      return await client.mergePatch<KubernetesObject>(type, splitKey(key), patch, {
        fieldManager: "strowger-operator",
      });
    } catch (error) {
      if (!isHeld && isAbsence(error, type, splitKey(key).name)) return undefined;
      if (!isConflict(error) || attempt >= mostAttempts) throw error;
      object = undefined;
    }
  }
}

/** The list as it should be; undefined: it is so. */
function wanted({ metadata }: KubernetesObject, isHeld: boolean): readonly string[] | undefined {
  const { finalizers = [] } = metadata;
  if (finalizers.includes(finalizer) === isHeld) return undefined;
  return isHeld ? [...finalizers, finalizer] : finalizers.filter((other) => other !== finalizer);
}
