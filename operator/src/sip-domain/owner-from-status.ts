/** The owner of a domain's rows whose owner row was lost: who was ready made them, or took them over. Pure. */
import { isHeldBy, type Owner } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { wasReconciled } from "../runtime/was-reconciled.ts";
import type { SipDomainStatus } from "../sources/types.ts";
import type { DomainFields, SipDomain } from "./resource.ts";
import type { DomainRows } from "./current-state.ts";

/**
 * `object` is as it was last seen, `domains` the rows with its names. Undefined: its status does not say so, there is no such row, or another
 * object has claimed the name since. The row of a name that is claimed by another object is that object's.
 */
export function ownerFromStatus(
  { reference, uid, domain, realm, aliases, immutable, deletionPolicy: wanted }: SipDomain,
  object: KubernetesObject | undefined,
  { installationId, claims, domains }: Pick<DomainRows, "installationId" | "claims" | "domains">,
): Owner<DomainFields> | undefined {
  const isFree = (name: string): boolean =>
    claims.every((claim) => claim.name !== name || isHeldBy(claim, installationId, reference));
  const isThere = domains.includes(domain) && isFree(domain);
  if (object?.metadata.uid !== uid || !wasReconciled(object) || !isThere) return undefined;
  const { deletionPolicy } = (object.status ?? {}) as SipDomainStatus;
  const isRetained = deletionPolicy === "Retain";
  return {
    reference,
    uid,
    generation: 0,
    deletionPolicy: isRetained ? "Retain" : "Delete",
    fields: {
      isRemembered: true,
      spec: immutable,
      domain,
      realm,
      aliases: aliases.filter((alias) => domains.includes(alias) && isFree(alias)),
      ...(isRetained && wanted !== "Retain" ? { isAdopted: true } : {}),
    },
  };
}
