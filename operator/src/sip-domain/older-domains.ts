/** Older SipDomains that want a name of a domain which nobody holds, as after the database was emptied (ADR 33). */
import type { Elder } from "../ownership.ts";
import { isOlder, keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import type { Source } from "../runtime/source.ts";
import { isAllowed } from "./is-allowed.ts";
import { parseSipDomain, type SipDomain } from "./resource.ts";

/** The names under which a SipDomain stands in the index: its domain and its aliases, each at its SipCluster. */
export function namesOf(object: KubernetesObject): readonly string[] {
  const { cluster, domain, aliases } = parseSipDomain(object);
  return [domain, ...aliases].map((name) => indexName(cluster, name));
}

const indexName = (cluster: ObjectKey, name: string): string => `${cluster} ${name}`;

/**
 * Of `names` those that another object is to have, each with the oldest that wants it. `owned`: names whose rows are this object's; only who
 * takes rows over can have them.
 */
export async function findOlderDomains(
  { reference, cluster: clusterKey }: SipDomain,
  names: readonly string[],
  {
    cluster,
    owned,
    wanted,
    source,
  }: {
    readonly cluster: KubernetesObject;
    readonly owned: readonly string[];
    readonly wanted: NameIndex;
    readonly source: Source;
  },
): Promise<readonly Elder[]> {
  const self = source.get(reference.kind, keyOf(reference.namespace, reference.name));
  if (self === undefined) return [];
  const elders: Elder[] = [];
  for (const name of names) {
    let oldest: KubernetesObject = self;
    for (const other of wanted.find(indexName(clusterKey, name)))
      if (
        isOlder(other, oldest) &&
        !(owned.includes(name) && parseSipDomain(other).adoptionPolicy === "Never") &&
        (await mayHold(other, cluster, source))
      )
        oldest = other;
    const { kind, metadata } = oldest;
    if (oldest !== self)
      elders.push({ name, owner: { kind, namespace: metadata.namespace, name: metadata.name } });
  }
  return elders;
}

/** Who is leaving, only looks, or is not served by the cluster gets no name, however old it is. */
async function mayHold(
  object: KubernetesObject,
  cluster: KubernetesObject,
  source: Source,
): Promise<boolean> {
  const { adoptionPolicy, reference, domain, aliases } = parseSipDomain(object);
  return (
    object.metadata.deletionTimestamp === undefined &&
    adoptionPolicy !== "Observe" &&
    (await isAllowed(cluster, reference.namespace, [domain, ...aliases], source))
  );
}
