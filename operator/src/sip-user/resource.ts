/** A SipUser as the operator understands it, with defaults resolved. */
import type { DeletionPolicy, ObjectReference, OwnerFields } from "../ownership.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { SipUserSpec } from "../sources/types.ts";

/** Where the credential comes from: a Secret, and a key in it. */
export interface CredentialSource {
  readonly kind: "password" | "ha1" | "generated";
  readonly secret: ObjectKey;
  readonly key: string;
}

export interface SipUser {
  readonly reference: ObjectReference;
  readonly uid: string;
  readonly generation: number;
  readonly domainName: string;
  readonly username: string;
  readonly credential: CredentialSource;
  readonly displayName: string | null;
  /** User parts in the same domain. */
  readonly aliases: readonly string[];
  readonly isEnabled: boolean;
  readonly maxContacts: number | null;
  readonly deletionPolicy: DeletionPolicy;
  readonly immutable: Pick<SipUserSpec, "domainRef" | "username">;
}

/** What the owner row of a SipUser keeps. */
export interface UserFields extends OwnerFields {
  readonly spec: SipUser["immutable"];
  readonly username: string;
  readonly domain: string;
  readonly aliases: readonly string[];
}

export function parseSipUser({ kind, metadata, spec: raw }: KubernetesObject): SipUser {
  const spec = raw as SipUserSpec;
  return {
    reference: { kind, namespace: metadata.namespace, name: metadata.name },
    uid: metadata.uid,
    generation: metadata.generation,
    domainName: spec.domainRef.name,
    username: spec.username,
    credential: credentialSource(spec, metadata),
    displayName: spec.displayName ?? null,
    aliases: spec.aliases ?? [],
    isEnabled: spec.enabled,
    maxContacts: spec.maxContacts ?? null,
    deletionPolicy: spec.deletionPolicy ?? "Delete",
    immutable: { domainRef: spec.domainRef, username: spec.username },
  };
}

/** The Secret of a generated password. */
export const generatedSecretOf = (namespace: string, name: string): ObjectKey =>
  keyOf(namespace, `${name}-sip-password`);

/** CEL has seen to it that exactly one is given. */
function credentialSource(
  { passwordSecretRef, ha1SecretRef }: SipUserSpec,
  { namespace, name }: KubernetesObject["metadata"],
): CredentialSource {
  if (passwordSecretRef !== undefined) {
    return { kind: "password", secret: keyOf(namespace, passwordSecretRef.name), key: passwordSecretRef.key };
  }
  if (ha1SecretRef !== undefined)
    return { kind: "ha1", secret: keyOf(namespace, ha1SecretRef.name), key: ha1SecretRef.key };
  return { kind: "generated", secret: generatedSecretOf(namespace, name), key: "password" };
}
