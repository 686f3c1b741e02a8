/**
 * A SipUser that was renamed: the object is gone, and another one of its namespace is for the same account with the same password. Its rows
 * change hands as they are, so that the phone's bindings stay (ADR 35).
 */
import { isHeldBy, type Owner } from "../ownership.ts";
import { isOlder, keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { isPaused } from "../runtime/reconcile-object.ts";
import { credentialOf } from "./credential.ts";
import { indexName } from "./older-users.ts";
import { isSameCredential } from "./foreign-rows.ts";
import { parseSipUser, type SipUser, type UserFields } from "./resource.ts";
import { claimName, type UserState } from "./current-state.ts";

/** Objects that may go on with these rows, as far as they tell themselves; the oldest first. */
export function candidates(
  { reference, fields }: Owner<UserFields>,
  wanted: NameIndex,
): readonly KubernetesObject[] {
  const { namespace, name } = reference;
  const { domainRef } = fields.spec;
  const domain: ObjectKey = keyOf(domainRef.namespace ?? namespace, domainRef.name);
  return wanted
    .find(indexName(domain, fields.username))
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.name !== name)
    .filter((object) => object.metadata.deletionTimestamp === undefined && !isPaused(object))
    .filter((object) => {
      const { username, isEnabled, adoptionPolicy } = parseSipUser(object);
      return username === fields.username && isEnabled && adoptionPolicy !== "Observe";
    })
    .sort((one, other) => (isOlder(one, other) ? -1 : 1));
}

/** Whether this user is the one that was renamed: whoever has another password, or rows of its own, is somebody else. */
export function succeeds(user: SipUser, state: UserState, { reference, fields }: Owner<UserFields>): boolean {
  if (state.kind !== "ready" || !state.isAllowed || state.owner !== undefined) return false;
  if (state.domain !== fields.domain || user.credential === undefined) return false;
  const claimed = claimName(user.username, state.domain);
  const isTheirs = state.claims.some(
    (claim) => claim.name === claimed && isHeldBy(claim, state.installationId, reference),
  );
  const credential = credentialOf(user, user.credential, state);
  const row = state.subscribers.find(({ username }) => username === user.username);
  return (
    isTheirs && row !== undefined && "ha1" in credential && isSameCredential(row, credential, state.realm)
  );
}

/** The owner row as the new object has it. */
export function inheritedBy(
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
