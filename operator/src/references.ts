/** References between objects as keys. A reference without a namespace points into the namespace of its own object. */
import { keyOf, type KubernetesObject, type ObjectKey } from "./runtime/object.ts";
import type { SipDomainSpec } from "./sources/types.ts";

export interface Reference {
  readonly name: string;
  readonly namespace?: string;
}

/** `namespace`: that of the object with the reference. */
export const resolveReference = (reference: Reference, namespace: string): ObjectKey =>
  keyOf(reference.namespace ?? namespace, reference.name);

/** The SipCluster of a SipDomain. */
export const clusterOfDomain = ({ metadata, spec }: KubernetesObject): ObjectKey =>
  resolveReference((spec as SipDomainSpec).clusterRef, metadata.namespace);
