/** Finds older SipDomains that request the unclaimed names of a SipDomain (ADR 33). */
import { findOlderObjects, indexName } from "../names/older-objects.ts";
import type { OlderObject } from "../ownership.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { keyOf, type KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { isAllowed } from "./is-allowed.ts";
import { parseSipDomain, type SipDomain } from "./resource.ts";

/** The keys of a SipDomain in the index: its domain and its aliases, each in its SipCluster. */
export function indexNamesOf(object: KubernetesObject): readonly string[] {
  const { cluster, domain, aliases } = parseSipDomain(object);
  return [domain, ...aliases].map((name) => indexName(cluster, name));
}

/** Returns those of `names` that an older SipDomain gets. `owned`: names whose rows this SipDomain owns. */
export async function findOlderDomains(
  { reference, cluster: scope }: SipDomain,
  names: readonly string[],
  {
    cluster,
    owned,
    index,
    source,
  }: {
    readonly cluster: KubernetesObject;
    readonly owned: readonly string[];
    readonly index: NameIndex;
    readonly source: Source;
  },
): Promise<readonly OlderObject[]> {
  const self = source.get(reference.kind, keyOf(reference.namespace, reference.name));
  if (self === undefined) return [];
  return findOlderObjects(self, names, {
    index,
    scope,
    owned,
    isAllowed: (object) => {
      const { domain, aliases } = parseSipDomain(object);
      return isAllowed(cluster, object.metadata.namespace, [domain, ...aliases], source);
    },
  });
}
