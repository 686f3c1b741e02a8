/** Restores the owner of a SipUser's rows whose owner row was lost. Pure. */
import { hasNoOtherClaim, ownerFromStatus } from "../names/owner-from-status.ts";
import { reasons, type Owner } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { wasReconciled } from "../runtime/was-reconciled.ts";
import type { SipUserStatus } from "../sources/types.ts";
import { claimName, type UserRows } from "./current-state.ts";
import type { SipUser, UserFields } from "./resource.ts";

/**
 * `object` is the object in the cache. Undefined: its status does not prove ownership, the row does not exist, or another object has claimed
 * the name since.
 */
export function userOwnerFromStatus(
  user: SipUser,
  object: KubernetesObject | undefined,
  {
    installationId,
    claims,
    domain,
    subscribers,
    aliases,
  }: Pick<UserRows, "installationId" | "claims" | "domain" | "subscribers" | "aliases">,
): Owner<UserFields> | undefined {
  const { reference, uid, username, immutable } = user;
  const { address } = (object?.status ?? {}) as SipUserStatus;
  if (object?.metadata.uid !== uid || address !== `sip:${username}@${domain}` || !hadRows(object))
    return undefined;
  const isUnclaimed = (name: string): boolean =>
    hasNoOtherClaim(claimName(name, domain), claims, installationId, reference);
  if (!subscribers.some((row) => row.username === username) || !isUnclaimed(username)) return undefined;
  const ownAliases = aliases.filter(
    ({ alias, target }) => user.aliases.includes(alias) && target.username === username && isUnclaimed(alias),
  );
  return ownerFromStatus(user, object, {
    spec: immutable,
    username,
    domain,
    aliases: ownAliases.map(({ alias }) => alias),
  });
}

/** A user that was reconciled before its domain was ready waits for the domain. Its status still has the Secret that was stored. */
function hadRows(object: KubernetesObject): boolean {
  const { conditions = [], secretResourceVersion } = (object.status ?? {}) as SipUserStatus;
  const waits = conditions.some(({ type, reason }) => type === "Ready" && reason === reasons.domainNotReady);
  return wasReconciled(object) || (waits && secretResourceVersion !== undefined);
}
