/** The owners of rows and names (design-kubernetes rules 1 to 6), and what conditions may show about them. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { NewCondition } from "./runtime/condition.ts";
import { notReady } from "./runtime/decision.ts";
import type { Existence } from "./runtime/source.ts";

/** A SipCluster, SipDomain or SipUser. */
export interface ObjectReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export type DeletionPolicy = "Delete" | "Retain";

/** How to treat rows that another tool made. */
export type AdoptionPolicy = "Never" | "Observe" | "Adopt" | "Enforce";

/** The owner of rows. `fields` is for deletion and for immutable fields, when the object is gone or changed. */
export interface Owner<Fields = unknown> {
  readonly reference: ObjectReference;
  readonly uid: string;
  readonly generation: number;
  readonly deletionPolicy: DeletionPolicy;
  readonly fields: Fields;
}

/** The fields of an owner of any kind. */
export interface OwnerFields {
  /** The immutable part of the spec, unchanged. */
  readonly spec: unknown;
  /** Another tool made some of the rows. Then they are retained, unless the spec has a deletion policy. */
  readonly isAdopted?: boolean;
  /** There is no owner row (any more): the owner is known from the object's status. */
  readonly isFromStatus?: true;
}

/** `own`: the owner is this object. `inherited`: it is an earlier object of the same name that is proven to be gone. */
export type Ownership = "none" | "own" | "inherited" | NewCondition;

/** `present` is the result of a live read of the object of that name; undefined if none was needed, because the uid is equal. */
export function determineOwnership(
  owner: Owner | undefined,
  uid: string,
  present: Existence | undefined,
): Ownership {
  if (owner === undefined) return "none";
  if (owner.uid === uid) return "own";
  if (present?.is === "present" && present.uid === uid) return "inherited";
  const why = present?.is === "unknown" ? `: ${present.why}` : "";
  return notReady(
    reasons.ownerUnproven,
    `its rows belong to an earlier ${owner.reference.kind} of this name, and it is not proven that the earlier one is gone${why}`,
  );
}

/** Condition reasons of the kinds with rows. Those about Secrets are in `sip-user/credential.ts`. */
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

/** Without a policy in the spec, rows that the object created are deleted with it, and adopted rows stay. An observer deletes nothing. */
export function resolveDeletionPolicy(
  specified: DeletionPolicy | undefined,
  adoptionPolicy: AdoptionPolicy,
  isAdopted: boolean,
): DeletionPolicy {
  if (adoptionPolicy === "Observe") return "Retain";
  return specified ?? (isAdopted ? "Retain" : "Delete");
}

/** The generation is only informative: a change of it alone needs no transaction. */
export const isSameOwner = (found: Owner | undefined, owner: Owner): boolean =>
  found !== undefined && isDeepStrictEqual({ ...found, generation: owner.generation }, owner);

/** A condition about the first name that another object holds. */
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

/** An unclaimed name, and the oldest other object that requests it. That object is older than the one in question. */
export interface OlderObject {
  readonly name: string;
  readonly owner: ObjectReference;
}

/** A condition about the first name that is left to an older object (ADR 33). */
export function olderObjectConflict(
  [older]: readonly OlderObject[],
  { namespace }: ObjectReference,
): NewCondition | undefined {
  return older === undefined
    ? undefined
    : notReady(
        reasons.conflict,
        `the name ${older.name} is left to ${describeOwner(older, namespace)}, which is older and requests it too`,
      );
}

/** A claimed name belongs to one object. `domain`: domains and their aliases. `user`: user@domain and its aliases. */
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

/** Shows the owner only to objects of the same namespace. */
export const describeOwner = ({ owner }: Pick<Claim, "owner">, namespace: string): string =>
  owner.namespace === namespace ? `${owner.kind} ${owner.name}` : "an object of another namespace";
