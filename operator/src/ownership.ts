/** Who owns which rows and names (design: truth, names, ownership), and what of it a person may read. Pure. */

/** An object of ours. */
export interface ObjectReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export type DeletionPolicy = "Delete" | "Retain";

/** The owner of rows. `fields` is what deletion and immutability need to know once the object is gone or changed. */
export interface Owner<Fields = unknown> {
  readonly reference: ObjectReference;
  readonly uid: string;
  readonly generation: number;
  readonly deletionPolicy: DeletionPolicy;
  readonly fields: Fields;
}

/** What the fields of every kind's owner hold. */
export interface OwnerFields {
  /** The immutable part of the spec, as it was written. */
  readonly spec: unknown;
}

/** A name that is one object's alone: `domain` names domains and their aliases, `user` names user@domain and its aliases. */
export type ClaimKind = "domain" | "user";

export interface Claim {
  readonly kind: ClaimKind;
  readonly name: string;
  readonly installationId: string;
  readonly owner: ObjectReference;
}

export function isHeldBy(
  claim: Claim,
  installationId: string,
  { kind, namespace, name }: ObjectReference,
): boolean {
  const { owner } = claim;
  return (
    claim.installationId === installationId &&
    owner.kind === kind &&
    owner.namespace === namespace &&
    owner.name === name
  );
}

/** Names the owner only to somebody of the same namespace. */
export const describeOwner = ({ owner }: Claim, namespace: string): string =>
  owner.namespace === namespace ? `${owner.kind} ${owner.name}` : "an object of another namespace";
