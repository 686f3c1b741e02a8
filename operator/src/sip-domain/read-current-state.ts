/** Reads the current state of a SipDomain. Throws DatabaseUnavailable. */
import { readDomains, readDomainSettings } from "../adapters/mysql/domain-rows.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import type { Installations } from "../installations.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { findOlderDomains } from "./older-domains.ts";
import { isAllowed } from "./is-allowed.ts";
import { domainOwnerFromStatus } from "./owner-from-status.ts";
import type { DomainFields, SipDomain } from "./resource.ts";
import type { DomainRows, DomainState } from "./current-state.ts";

/** Returns the state, and the installation of its rows. */
export async function readDomainState(
  domain: SipDomain,
  installations: Installations,
  source: Source,
  index: NameIndex,
): Promise<readonly [DomainState, Installation | undefined]> {
  const cluster = source.get("SipCluster", domain.cluster);
  if (cluster === undefined) return [{ kind: "absent" }, undefined];
  const installation = await installations.of(domain.cluster);
  if (installation?.epoch === undefined || !(await isHolder(installation, domain.cluster)))
    return [{ kind: "unready" }, undefined];
  const rows = await readRows(domain, cluster, installation, source);
  const unclaimed = [domain.domain, ...domain.aliases].filter((name) =>
    rows.claims.every((claim) => claim.name !== name),
  );
  const owned = rows.owner === undefined ? [] : [rows.owner.fields.domain, ...rows.owner.fields.aliases];
  const olderObjects = await findOlderDomains(domain, unclaimed, { cluster, owned, index, source });
  return [{ ...rows, olderObjects }, installation];
}

async function readRows(
  domain: SipDomain,
  cluster: KubernetesObject,
  installation: Installation,
  source: Source,
): Promise<Omit<DomainRows, "olderObjects">> {
  const { reference, uid } = domain;
  const { database, id } = installation;
  const names = [domain.domain, ...domain.aliases];
  const key = keyOf(reference.namespace, reference.name);
  // Rows are read before claims: an object that writes a row in between has written its claim, too.
  const domains = (await readDomains(database, names)).map((name) => name.toLowerCase());
  const object = source.get(reference.kind, key);
  const claims = await readClaims(database, "domain", names);
  const owner =
    (await readOwner<DomainFields>(installation, reference)) ??
    domainOwnerFromStatus(domain, object, { installationId: id, claims, domains });
  const isOther = owner !== undefined && owner.uid !== uid;
  const owned = owner?.fields.domain;
  return {
    kind: "ready",
    installationId: id,
    isAllowed: await isAllowed(cluster, reference.namespace, names, source),
    owner,
    present: isOther ? await source.existence(reference.kind, key) : undefined,
    claims,
    domains,
    settings: await readDomainSettings(database, owned === undefined ? names : [...names, owned]),
  };
}

async function isHolder({ database }: Installation, cluster: ObjectKey): Promise<boolean> {
  const holder = await clusterOfDatabase(database);
  return holder !== undefined && keyOf(holder.namespace, holder.name) === cluster;
}
