/** Removes what the operator never reads from the objects that it stores: there can be a hundred thousand. Pure. */
import type { ResourceType } from "../../adapters/kube/resource-type.ts";
import type { Identified } from "../../runtime/reflected-store.ts";

/** `kubectl apply` stores the whole object in it. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Adds apiVersion and kind, which the items of a list do not have. */
export function trimObject<T extends Identified>({ apiVersion, kind }: ResourceType, object: T): T {
  const { annotations, ...metadata } = without("managedFields", object.metadata) as T["metadata"] & {
    readonly annotations?: object;
  };
  const others = without(lastApplied, annotations ?? {});
  const hasAnnotations = Object.keys(others).length > 0;
  return {
    ...object,
    apiVersion,
    kind,
    metadata: hasAnnotations ? { ...metadata, annotations: others } : metadata,
  };
}

/** Not by `delete`: an object with a deleted property needs more memory. */
const without = (field: string, object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));

/** For objects of which only the existence and the version matter. */
export const identityOf = <T extends Identified>({ metadata }: T): T => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { metadata: { namespace, name, uid, resourceVersion } } as T;
};
