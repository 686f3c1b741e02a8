/** The common parts of every object, in the form of the Kubernetes API. */
import type { Condition } from "./condition.ts";

export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Raised with every change of the spec. */
  readonly generation: number;
  readonly resourceVersion?: string;
  /** RFC 3339, in whole seconds; absent where the source does not know it. */
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  /** RFC 3339. The object is deleted when its last finalizer is removed. */
  readonly deletionTimestamp?: string;
}

export interface KubernetesObject<Spec = unknown, Status = unknown> {
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** The common part of the status of every kind. */
export interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/**
 * Whether the first object was created before the other. For objects of the same second, or without a time, the first by namespace and name
 * counts as older, so that the answer is always the same.
 */
export function isOlder({ metadata: one }: KubernetesObject, { metadata: other }: KubernetesObject): boolean {
  const [first, second] = [createdAt(one), createdAt(other)];
  return first === second
    ? keyOf(one.namespace, one.name) < keyOf(other.namespace, other.name)
    : first < second;
}

const createdAt = ({ creationTimestamp = "" }: ObjectMeta): number => Date.parse(creationTimestamp) || 0;

/** `namespace/name`: the key of an object within its kind. Without a namespace it begins with "/". */
export type ObjectKey = `${string}/${string}`;

export const keyOf = (namespace: string, name: string): ObjectKey => `${namespace}/${name}`;

export const keyOfObject = ({
  metadata: { namespace = "", name },
}: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): ObjectKey => keyOf(namespace, name);

export function splitKey(key: ObjectKey): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
