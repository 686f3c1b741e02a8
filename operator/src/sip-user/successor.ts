/**
 * Finds the successor of a renamed SipUser: the old object is gone, and another object of its namespace has the same account and the same
 * password. The successor takes the rows over unchanged, so the phone's bindings stay (ADR 35).
 */
import { indexName } from "../names/older-objects.ts";
import { isHeldBy, type Owner } from "../ownership.ts";
import { resolveReference } from "../references.ts";
import { isOlder, type KubernetesObject } from "../runtime/object.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { isPaused } from "../runtime/reconcile-object.ts";
import { credentialOf } from "./credential.ts";
import { isSameCredential } from "./foreign-rows.ts";
import { parseSipUser, type SipUser, type UserFields } from "./resource.ts";
import { claimName, type UserState } from "./current-state.ts";

/** Objects that may be the successor by their own spec; the oldest first. */
export function findCandidates(
  { reference, fields }: Owner<UserFields>,
  index: NameIndex,
): readonly KubernetesObject[] {
  const { namespace, name } = reference;
  const { domainRef } = fields.spec;
  const domain = resolveReference(domainRef, namespace);
  return index
    .find(indexName(domain, fields.username))
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.name !== name)
    .filter((object) => object.metadata.deletionTimestamp === undefined && !isPaused(object))
    .filter((object) => {
      const { username, isEnabled, adoptionPolicy } = parseSipUser(object);
      return username === fields.username && isEnabled && adoptionPolicy !== "Observe";
    })
    .sort((one, other) => (isOlder(one, other) ? -1 : 1));
}

/** Whether this user is the renamed one. A user with another password, or with rows of its own, is another user. */
export function isSuccessor(
  user: SipUser,
  state: UserState,
  { reference, fields }: Owner<UserFields>,
): boolean {
  if (state.kind !== "ready" || !state.isAllowed || state.owner !== undefined) return false;
  if (state.domain !== fields.domain || user.credential === undefined) return false;
  const claimed = claimName(user.username, state.domain);
  const isClaimedByOwner = state.claims.some(
    (claim) => claim.name === claimed && isHeldBy(claim, state.installationId, reference),
  );
  const credential = credentialOf(user, user.credential, state);
  const row = state.subscribers.find(({ username }) => username === user.username);
  return (
    isClaimedByOwner &&
    row !== undefined &&
    "ha1" in credential &&
    isSameCredential(row, credential, state.realm)
  );
}

/** The owner row for the successor. */
export function buildSuccessorOwner(
  { reference, uid, generation, immutable }: SipUser,
  { deletionPolicy, fields }: Owner<UserFields>,
): Owner<UserFields> {
  const { username, domain, aliases, isAdopted } = fields;
  const adopted = isAdopted === undefined ? {} : { isAdopted };
  return {
    reference,
    uid,
    generation,
    deletionPolicy,
    fields: { spec: immutable, username, domain, aliases, ...adopted },
  };
}
