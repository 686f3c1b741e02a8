/** Who owns which rows and names (design: truth, names, ownership), and what of it a person may read. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { NewCondition } from "./runtime/condition.ts";
import { notReady } from "./runtime/decision.ts";
import type { Presence } from "./runtime/source.ts";

/** An object of ours. */
export interface ObjectReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export type DeletionPolicy = "Delete" | "Retain";

/** What to do about rows that another tool made. */
export type AdoptionPolicy = "Never" | "Observe" | "Adopt" | "Enforce";

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
  /** Some of the rows were another tool's before: then they are retained where the spec does not say. */
  readonly isAdopted?: boolean;
  /** No row says so (any more): the object's status does. */
  readonly isFromStatus?: true;
}

/** `own`: this very object's. `inherited`: an earlier one's of the same name, which is proven gone. */
export type Ownership = "none" | "own" | "inherited" | NewCondition;

/** `present` is what a live read says of the object of that name; undefined where it was not asked, for the uid is this one's. */
export function determineOwnership(
  owner: Owner | undefined,
  uid: string,
  present: Presence | undefined,
): Ownership {
  if (owner === undefined) return "none";
  if (owner.uid === uid) return "own";
  if (present?.is === "present" && present.uid === uid) return "inherited";
  const why = present?.is === "unknown" ? `: ${present.why}` : "";
  return notReady(
    reasons.ownerUnproven,
    `its rows are those of an earlier ${owner.reference.kind} of this name, and it is not proven that that one is gone${why}`,
  );
}

/** Reasons that the kinds with rows give; those about Secrets are beside the credential. */
export const reasons = {
  clusterNotFound: "ClusterNotFound",
  clusterNotReady: "ClusterNotReady",
  domainNotFound: "DomainNotFound",
  domainNotReady: "DomainNotReady",
  generatingPassword: "GeneratingPassword",
  credentialMissing: "CredentialMissing",
  conflict: "Conflict",
  notAllowed: "NotAllowed",
  immutableField: "ImmutableField",
  ownerUnproven: "OwnerUnproven",
  observed: "Observed",
  nothingToObserve: "NothingToObserve",
  stale: "Stale",
} as const;

/** The rows that an object made go with it, the rows that it adopted stay, unless the spec says otherwise; who only observes deletes nothing. */
export function resolveDeletionPolicy(
  said: DeletionPolicy | undefined,
  adoptionPolicy: AdoptionPolicy,
  isAdopted: boolean,
): DeletionPolicy {
  if (adoptionPolicy === "Observe") return "Retain";
  return said ?? (isAdopted ? "Retain" : "Delete");
}

/** The generation is a note for people: a change of it alone is worth no transaction. */
export const isSameOwner = (found: Owner | undefined, owner: Owner): boolean =>
  found !== undefined && isDeepStrictEqual({ ...found, generation: owner.generation }, owner);

/** The first name that is another object's, as a verdict. */
export function claimConflict(
  claims: readonly Claim[],
  installationId: string,
  reference: ObjectReference,
): NewCondition | undefined {
  const claim = claims.find((other) => !isHeldBy(other, installationId, reference));
  return claim === undefined
    ? undefined
    : notReady(
        reasons.conflict,
        `the name ${claim.name} belongs to ${describeOwner(claim, reference.namespace)}`,
      );
}

/** A name that nobody holds, and the oldest of the other objects that want it, which is older than the one that asks. */
export interface OlderObject {
  readonly name: string;
  readonly owner: ObjectReference;
}

/** The first name that is left to an older object, as a verdict (ADR 33). */
export function olderObjectConflict(
  [older]: readonly OlderObject[],
  { namespace }: ObjectReference,
): NewCondition | undefined {
  return older === undefined
    ? undefined
    : notReady(
        reasons.conflict,
        `the name ${older.name} is left to ${describeOwner(older, namespace)}, which is older and wants it too`,
      );
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
export const describeOwner = ({ owner }: Pick<Claim, "owner">, namespace: string): string =>
  owner.namespace === namespace ? `${owner.kind} ${owner.name}` : "an object of another namespace";
