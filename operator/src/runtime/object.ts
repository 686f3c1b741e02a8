/** What every object of every kind has, as the Kubernetes API shapes it. */
import type { Condition } from "./condition.ts";

export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Raised by every change of the spec. */
  readonly generation: number;
  readonly resourceVersion?: string;
  /** RFC 3339, in whole seconds; absent where the source does not know it. */
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  /** RFC 3339; the object goes as soon as its last finalizer does. */
  readonly deletionTimestamp?: string;
}

export interface KubernetesObject<Spec = unknown, Status = unknown> {
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** What the status of every kind carries. */
export interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/**
 * Whether the first object was there before the other. Of two of the same second, and where the source knows no time, the first by
 * namespace and name counts as older, so that the answer is the same each time.
 */
export function isOlder({ metadata: one }: KubernetesObject, { metadata: other }: KubernetesObject): boolean {
  const [first, second] = [createdAt(one), createdAt(other)];
  return first === second
    ? keyOf(one.namespace, one.name) < keyOf(other.namespace, other.name)
    : first < second;
}

const createdAt = ({ creationTimestamp = "" }: ObjectMeta): number => Date.parse(creationTimestamp) || 0;

/** `namespace/name`, the key of an object within its kind. */
export type ObjectKey = `${string}/${string}`;

export const keyOf = (namespace: string, name: string): ObjectKey => `${namespace}/${name}`;

/** The key of an object without a namespace begins with "/". */
export const keyOfObject = ({
  metadata: { namespace = "", name },
}: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): ObjectKey => keyOf(namespace, name);

export function splitKey(key: ObjectKey): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
