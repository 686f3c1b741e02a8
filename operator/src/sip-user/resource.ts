/** A parsed SipUser, with defaults resolved. */
import type { AdoptionPolicy, DeletionPolicy, ObjectReference, OwnerFields } from "../ownership.ts";
import { resolveReference } from "../references.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { SipUserSpec } from "../sources/types.ts";

/** Where the credential comes from: a Secret of the user's own namespace, and a key in it. */
export interface CredentialSource {
  readonly kind: "password" | "ha1" | "generated";
  readonly secret: ObjectKey;
  readonly key: string;
}

export interface SipUser {
  readonly reference: ObjectReference;
  readonly uid: string;
  readonly generation: number;
  /** The SipDomain. */
  readonly domain: ObjectKey;
  readonly username: string;
  /** Undefined: the stored credential stays. */
  readonly credential: CredentialSource | undefined;
  /** Null here and below: not set in the spec. */
  readonly displayName: string | null;
  /** User parts in the same domain. */
  readonly aliases: readonly string[];
  readonly isEnabled: boolean;
  readonly maxContacts: number | null;
  readonly adoptionPolicy: AdoptionPolicy;
  /** As in the spec; undefined: not set. */
  readonly deletionPolicy: DeletionPolicy | undefined;
  readonly immutable: Pick<SipUserSpec, "domainRef" | "username">;
}

/** The fields in the owner row of a SipUser. */
export interface UserFields extends OwnerFields {
  readonly spec: SipUser["immutable"];
  readonly username: string;
  readonly domain: string;
  readonly aliases: readonly string[];
  /** Its password was generated for the object with this uid, and is removed with it. A restored object has another uid. */
  readonly generatedFor?: string;
}

export function parseSipUser({ kind, metadata, spec: raw }: KubernetesObject): SipUser {
  const spec = raw as SipUserSpec;
  return {
    reference: { kind, namespace: metadata.namespace, name: metadata.name },
    uid: metadata.uid,
    generation: metadata.generation,
    domain: resolveReference(spec.domainRef, metadata.namespace),
    username: spec.username,
    credential: credentialSource(spec, metadata),
    displayName: spec.displayName ?? null,
    aliases: spec.aliases ?? [],
    isEnabled: spec.enabled,
    maxContacts: spec.maxContacts ?? null,
    adoptionPolicy: spec.adoptionPolicy ?? "Never",
    deletionPolicy: spec.deletionPolicy,
    immutable: { domainRef: spec.domainRef, username: spec.username },
  };
}

/** The Secret of a generated password. */
export const generatedSecretOf = (namespace: string, name: string): ObjectKey =>
  keyOf(namespace, `${name}${generatedEnding}`);

const generatedEnding = "-sip-password";

/** The Secret of the credential, for an index. */
export function secretsOf({ metadata, spec }: KubernetesObject): readonly ObjectKey[] {
  const credential = credentialSource(spec as SipUserSpec, metadata);
  return credential === undefined ? [] : [credential.secret];
}

/** The SipDomain. */
export const domainOf = ({ metadata, spec }: KubernetesObject): ObjectKey =>
  resolveReference((spec as SipUserSpec).domainRef, metadata.namespace);

/** The CRD's CEL rules allow at most one of the three. */
function credentialSource(
  { passwordSecretRef, ha1SecretRef, generatePassword }: SipUserSpec,
  { namespace, name }: KubernetesObject["metadata"],
): CredentialSource | undefined {
  if (passwordSecretRef !== undefined)
    return { kind: "password", secret: keyOf(namespace, passwordSecretRef.name), key: passwordSecretRef.key };
  if (ha1SecretRef !== undefined)
    return { kind: "ha1", secret: keyOf(namespace, ha1SecretRef.name), key: ha1SecretRef.key };
  return generatePassword === true
    ? { kind: "generated", secret: generatedSecretOf(namespace, name), key: "password" }
    : undefined;
}
