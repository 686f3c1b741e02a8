/** Puts the finalizer on an object of ours or takes it off, and leaves those of others as they are. */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import type { ResourceType } from "../../adapters/kube/resource-type.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "../../runtime/object.ts";

const finalizer = "sip.strowger.dev/rows";
const mostAttempts = 5;

/**
 * `known` is the object as it was last seen; where somebody wrote it since, it is read again. Returns the object as it is then; undefined
 * where nothing had to be written, or the object is gone. One that is going away gets no finalizer any more.
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
      const finalizers = wanted(object, isHeld);
      if (finalizers === undefined) return undefined;
      const { uid, resourceVersion } = object.metadata;
      const patch = { metadata: { uid, resourceVersion, finalizers } };
      return await client.mergePatch<KubernetesObject>(type, splitKey(key), patch, {
        fieldManager: "strowger-operator",
      });
    } catch (error) {
      if (isAbsence(error, type, splitKey(key).name)) return undefined;
      if (!isConflict(error) || attempt >= mostAttempts) throw error;
      object = undefined;
    }
  }
}

/** The list as it should be; undefined: it is so. */
function wanted({ metadata }: KubernetesObject, isHeld: boolean): readonly string[] | undefined {
  const { finalizers = [], deletionTimestamp } = metadata;
  if (finalizers.includes(finalizer) === isHeld) return undefined;
  if (!isHeld) return finalizers.filter((other) => other !== finalizer);
  return deletionTimestamp === undefined ? [...finalizers, finalizer] : undefined;
}
