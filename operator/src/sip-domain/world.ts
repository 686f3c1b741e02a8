/** What a decision about a SipDomain looks at: its cluster, its owner row, and everything that bears one of its names. */
import { readDomains, readDomainSettings, type DomainSettings } from "../adapters/mysql/domain-rows.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import type { Installations } from "../installations.ts";
import type { Claim, Elder, Owner } from "../ownership.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { keyOf, splitKey, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Presence, Source } from "../runtime/source.ts";
import { eldersOf } from "./elders.ts";
import { isAllowed } from "./is-allowed.ts";
import { rememberedOwner } from "./remembered-owner.ts";
import type { DomainFields, SipDomain } from "./resource.ts";

export type DomainWorld =
  /** `unready`: the cluster is there, but has no database, or the database is not its own (yet). */
  { readonly kind: "absent" | "unready" } | DomainRows;

export interface DomainRows {
  readonly kind: "ready";
  readonly installationId: string;
  /** Whether the cluster serves these names for this namespace. */
  readonly isAllowed: boolean;
  readonly owner: Owner<DomainFields> | undefined;
  /** What a live read says of this object; asked only where the owner row has another uid. */
  readonly present: Presence | undefined;
  /** Of its names, by whomever. */
  readonly claims: readonly Claim[];
  /** Of the names that nobody holds, those that an older object wants too. */
  readonly elders: readonly Elder[];
  /** Rows of `domain` with its names, whoever made them; in lower case, for an old table may compare without regard to it. */
  readonly domains: readonly string[];
  /** Of its names, and of the domain that an earlier object of this name was for. */
  readonly settings: readonly DomainSettings[];
}

/** The world, and where its rows are. */
export async function readDomainWorld(
  domain: SipDomain,
  installations: Installations,
  source: Source,
  wanted: NameIndex,
): Promise<readonly [DomainWorld, Installation | undefined]> {
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
  const elders = await eldersOf(domain, unclaimed, { cluster, owned, wanted, source });
  return [{ ...rows, elders }, installation];
}

async function readRows(
  wanted: SipDomain,
  cluster: KubernetesObject,
  installation: Installation,
  source: Source,
): Promise<Omit<DomainRows, "elders">> {
  const { reference, uid, domain, aliases } = wanted;
  const { database, id } = installation;
  const names = [domain, ...aliases];
  const key = keyOf(reference.namespace, reference.name);
  // Rows before claims: whoever made a row meanwhile has its claim by then.
  const domains = (await readDomains(database, names)).map((name) => name.toLowerCase());
  const object = source.get(reference.kind, key);
  const claims = await readClaims(database, "domain", names);
  const owner =
    (await readOwner<DomainFields>(installation, reference)) ??
    rememberedOwner(wanted, object, { installationId: id, claims, domains });
  const isOther = owner !== undefined && owner.uid !== uid;
  const owned = owner?.fields.domain;
  return {
    kind: "ready",
    installationId: id,
    isAllowed: await isAllowed(cluster, reference.namespace, names, source),
    owner,
    present: isOther ? await source.presence(reference.kind, key) : undefined,
    claims,
    domains,
    settings: await readDomainSettings(database, owned === undefined ? names : [...names, owned]),
  };
}

async function isHolder({ database }: Installation, cluster: ObjectKey): Promise<boolean> {
  const holder = await clusterOfDatabase(database);
  return holder !== undefined && keyOf(holder.namespace, holder.name) === cluster;
}

/** For a message: the name alone within the same namespace. */
export function nameFor(key: ObjectKey, namespace: string): string {
  const found = splitKey(key);
  return found.namespace === namespace ? found.name : key;
}
