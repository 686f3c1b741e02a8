/** A parsed SipDomain: names in lower case (RFC 3261 §19.1.4), defaults resolved. */
import type { AdoptionPolicy, DeletionPolicy, ObjectReference, OwnerFields } from "../ownership.ts";
import { resolveReference } from "../references.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import type { SipDomainSpec } from "../sources/types.ts";

export interface SipDomain {
  readonly reference: ObjectReference;
  readonly uid: string;
  readonly generation: number;
  readonly cluster: ObjectKey;
  readonly domain: string;
  /** Without duplicates, and without the domain itself in another case. */
  readonly aliases: readonly string[];
  readonly realm: string;
  readonly isEnabled: boolean;
  /** Seconds and a number of contacts; undefined is the node's default. */
  readonly registration: NonNullable<SipDomainSpec["registration"]>;
  readonly algorithms: readonly string[] | undefined;
  /** Undefined is the node's default. */
  readonly anonymousCallers: NonNullable<SipDomainSpec["calls"]>["anonymousCallers"];
  readonly adoptionPolicy: AdoptionPolicy;
  /** As in the spec; undefined: not set. */
  readonly deletionPolicy: DeletionPolicy | undefined;
  readonly immutable: Pick<SipDomainSpec, "clusterRef" | "domain" | "realm">;
}

/** The fields in the owner row of a SipDomain. Its users read their domain and realm from here. */
export interface DomainFields extends OwnerFields {
  readonly spec: SipDomain["immutable"];
  readonly domain: string;
  readonly realm: string;
  readonly aliases: readonly string[];
}

export function parseSipDomain({ kind, metadata, spec: raw }: KubernetesObject): SipDomain {
  const spec = raw as SipDomainSpec;
  const domain = spec.domain.toLowerCase();
  return {
    reference: { kind, namespace: metadata.namespace, name: metadata.name },
    uid: metadata.uid,
    generation: metadata.generation,
    cluster: resolveReference(spec.clusterRef, metadata.namespace),
    domain,
    aliases: [...new Set((spec.aliases ?? []).map((alias) => alias.toLowerCase()))].filter(
      (alias) => alias !== domain,
    ),
    realm: spec.realm ?? domain,
    isEnabled: spec.enabled,
    registration: spec.registration ?? {},
    algorithms: spec.auth?.algorithms,
    anonymousCallers: spec.calls?.anonymousCallers,
    adoptionPolicy: spec.adoptionPolicy ?? "Never",
    deletionPolicy: spec.deletionPolicy,
    immutable: {
      clusterRef: spec.clusterRef,
      domain: spec.domain,
      ...(spec.realm === undefined ? {} : { realm: spec.realm }),
    },
  };
}
