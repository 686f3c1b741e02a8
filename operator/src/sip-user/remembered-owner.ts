/**
 * The owner of rows whose owner row was lost (the tables of Strowger were emptied, or only those of OpenSIPS came back from a backup): who was
 * ready under this address made them, or took them over. Pure.
 */
import { reasons, type Owner } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { wasReconciled } from "../runtime/was-reconciled.ts";
import type { SipUserStatus } from "../sources/types.ts";
import type { SipUser, UserFields } from "./resource.ts";
import type { UserRows } from "./world.ts";

/** One whose turn came before its domain's was ready waits for the domain, and has the Secret that it had. */
function hadRows(object: KubernetesObject): boolean {
  const { conditions = [], secretResourceVersion } = (object.status ?? {}) as SipUserStatus;
  const waits = conditions.some(({ type, reason }) => type === "Ready" && reason === reasons.domainNotReady);
  return wasReconciled(object) || (waits && secretResourceVersion !== undefined);
}

/** `object` is as it was last seen. Undefined: its status does not say so, or there is no such row. */
export function rememberedOwner(
  user: SipUser,
  object: KubernetesObject | undefined,
  { domain, subscribers, aliases }: Pick<UserRows, "domain" | "subscribers" | "aliases">,
): Owner<UserFields> | undefined {
  const { reference, uid, username, immutable } = user;
  const { address, deletionPolicy } = (object?.status ?? {}) as SipUserStatus;
  const isOurs = object?.metadata.uid === uid && address === `sip:${username}@${domain}` && hadRows(object);
  if (!isOurs || !subscribers.some((row) => row.username === username)) return undefined;
  const led = aliases.filter(
    ({ alias, target }) => user.aliases.includes(alias) && target.username === username,
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
