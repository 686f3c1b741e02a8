/** What a decision about a SipDomain looks at: its cluster, its owner row, and everything that bears one of its names. */
import { readDomains, readDomainSettings, type DomainSettings } from "../adapters/mysql/domain-rows.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import type { Claim, Owner } from "../ownership.ts";
import { keyOf } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { DomainFields, SipDomain } from "./resource.ts";

export interface DomainWorld {
  readonly installationId: string;
  /** `unready`: the cluster is there, but the database is not its own (yet). */
  readonly cluster: "absent" | "unready" | "ready";
  readonly owner: Owner<DomainFields> | undefined;
  /** Of its names, by whomever. */
  readonly claims: readonly Claim[];
  /** Rows of `domain` with its names, whoever made them; in lower case, for an old table may compare without regard to it. */
  readonly domains: readonly string[];
  readonly settings: readonly DomainSettings[];
}

export async function readDomainWorld(
  { reference, clusterName, domain, aliases }: SipDomain,
  installation: Installation,
  source: Source,
): Promise<DomainWorld> {
  const { database, id } = installation;
  const names = [domain, ...aliases];
  const holder = await clusterOfDatabase(database);
  const isHolder = holder?.namespace === reference.namespace && holder.name === clusterName;
  const isThere = source.get("SipCluster", keyOf(reference.namespace, clusterName)) !== undefined;
  return {
    installationId: id,
    cluster: !isThere ? "absent" : isHolder ? "ready" : "unready",
    owner: await readOwner<DomainFields>(installation, reference),
    claims: await readClaims(database, "domain", names),
    domains: (await readDomains(database, names)).map((name) => name.toLowerCase()),
    settings: await readDomainSettings(database, names),
  };
}
