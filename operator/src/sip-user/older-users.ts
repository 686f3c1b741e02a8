/** Finds older SipUsers that request the unclaimed names of a SipUser (ADR 33). */
import { findOlderObjects, indexName } from "../names/older-objects.ts";
import type { OlderObject } from "../ownership.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { keyOf, type KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { parseSipUser, type SipUser } from "./resource.ts";
import { allowsUsersOf } from "./served-domain.ts";

/** The keys of a SipUser in the index: its username and its aliases, each in its SipDomain. */
export function indexNamesOf(object: KubernetesObject): readonly string[] {
  const { domain, username, aliases } = parseSipUser(object);
  return [username, ...aliases].map((name) => indexName(domain, name));
}

/** Returns those of `names` (user parts) that an older SipUser gets. `owned`: names whose rows this SipUser owns. */
export async function findOlderUsers(
  { reference, domain: scope }: SipUser,
  names: readonly string[],
  {
    domain,
    owned,
    index,
    source,
  }: {
    readonly domain: KubernetesObject;
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
    isAllowed: ({ metadata }) => allowsUsersOf(domain, metadata.namespace, source),
  });
}
