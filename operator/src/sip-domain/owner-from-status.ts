/** Restores the owner of a SipDomain's rows whose owner row was lost. Pure. */
import { hasNoOtherClaim, ownerFromStatus } from "../names/owner-from-status.ts";
import type { Owner } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { wasReconciled } from "../runtime/was-reconciled.ts";
import type { DomainRows } from "./current-state.ts";
import type { DomainFields, SipDomain } from "./resource.ts";

/**
 * `object` is the object in the cache, `domains` the rows with its names. Undefined: the status does not prove ownership, the row does not
 * exist, or another object has claimed the name since.
 */
export function domainOwnerFromStatus(
  domain: SipDomain,
  object: KubernetesObject | undefined,
  { installationId, claims, domains }: Pick<DomainRows, "installationId" | "claims" | "domains">,
): Owner<DomainFields> | undefined {
  const { reference, uid, domain: name, realm, aliases, immutable } = domain;
  const isOwn = (row: string): boolean =>
    domains.includes(row) && hasNoOtherClaim(row, claims, installationId, reference);
  if (object?.metadata.uid !== uid || !wasReconciled(object) || !isOwn(name)) return undefined;
  return ownerFromStatus(domain, object, {
    spec: immutable,
    domain: name,
    realm,
    aliases: aliases.filter(isOwn),
  });
}
