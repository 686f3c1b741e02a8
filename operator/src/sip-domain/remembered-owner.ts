/** The owner of a domain's rows whose owner row was lost: who was ready made them, or took them over. Pure. */
import type { Owner } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { wasReconciled } from "../runtime/was-reconciled.ts";
import type { SipDomainStatus } from "../sources/types.ts";
import type { DomainFields, SipDomain } from "./resource.ts";

/** `object` is as it was last seen, `domains` the rows with its names. Undefined: its status does not say so, or there is no such row. */
export function rememberedOwner(
  { reference, uid, domain, realm, aliases, immutable, deletionPolicy: wanted }: SipDomain,
  object: KubernetesObject | undefined,
  domains: readonly string[],
): Owner<DomainFields> | undefined {
  if (object?.metadata.uid !== uid || !wasReconciled(object) || !domains.includes(domain)) return undefined;
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
      aliases: aliases.filter((alias) => domains.includes(alias)),
      ...(isRetained && wanted !== "Retain" ? { isAdopted: true } : {}),
    },
  };
}
