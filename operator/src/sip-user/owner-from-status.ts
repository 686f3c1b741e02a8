/**
 * The owner of rows whose owner row was lost (the tables of Strowger were emptied, or only those of OpenSIPS came back from a backup): who was
 * ready under this address made them, or took them over. Pure.
 */
import { isHeldBy, reasons, type Owner } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { wasReconciled } from "../runtime/was-reconciled.ts";
import type { SipUserStatus } from "../sources/types.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** One whose turn came before its domain's was ready waits for the domain, and has the Secret that it had. */
function hadRows(object: KubernetesObject): boolean {
  const { conditions = [], secretResourceVersion } = (object.status ?? {}) as SipUserStatus;
  const waits = conditions.some(({ type, reason }) => type === "Ready" && reason === reasons.domainNotReady);
  return wasReconciled(object) || (waits && secretResourceVersion !== undefined);
}

/**
 * `object` is as it was last seen. Undefined: its status does not say so, there is no such row, or another object has claimed the name since.
 * The row of a name that is claimed by another object is that object's.
 */
export function ownerFromStatus(
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
  const { address, deletionPolicy } = (object?.status ?? {}) as SipUserStatus;
  const isOurs = object?.metadata.uid === uid && address === `sip:${username}@${domain}` && hadRows(object);
  const isFree = (name: string): boolean =>
    claims.every(
      (claim) => claim.name !== claimName(name, domain) || isHeldBy(claim, installationId, reference),
    );
  const isThere = subscribers.some((row) => row.username === username) && isFree(username);
  if (!isOurs || !isThere) return undefined;
  const led = aliases.filter(
    ({ alias, target }) => user.aliases.includes(alias) && target.username === username && isFree(alias),
  );
  const isRetained = deletionPolicy === "Retain";
  return {
    reference,
    uid,
    generation: 0,
    deletionPolicy: isRetained ? "Retain" : "Delete",
    fields: {
      isRemembered: true,
      spec: immutable,
      username,
      domain,
      aliases: led.map(({ alias }) => alias),
      ...(isRetained && user.deletionPolicy !== "Retain" ? { isAdopted: true } : {}),
    },
  };
}
