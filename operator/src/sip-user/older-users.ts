/** Older SipUsers that want a name of a user which nobody holds, as after the database was emptied (ADR 33). */
import type { Elder } from "../ownership.ts";
import { isOlder, keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import type { Source } from "../runtime/source.ts";
import { parseSipUser, type SipUser } from "./resource.ts";
import { takesNamespace } from "./served-domain.ts";

/** The names under which a SipUser stands in the index: its own and its aliases, each in its SipDomain. */
export function namesOf(object: KubernetesObject): readonly string[] {
  const { domain, username, aliases } = parseSipUser(object);
  return [username, ...aliases].map((name) => indexName(domain, name));
}

export const indexName = (domain: ObjectKey, name: string): string => `${domain} ${name}`;

/**
 * Of `names`, user parts, those that another object is to have, each with the oldest that wants it. `owned`: names whose rows are this
 * object's; only who takes rows over can have them.
 */
export async function findOlderUsers(
  { reference, domain: domainKey }: SipUser,
  names: readonly string[],
  {
    domain,
    owned,
    wanted,
    source,
  }: {
    readonly domain: KubernetesObject;
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
    for (const other of wanted.find(indexName(domainKey, name)))
      if (
        isOlder(other, oldest) &&
        !(owned.includes(name) && parseSipUser(other).adoptionPolicy === "Never") &&
        (await mayHold(other, domain, source))
      )
        oldest = other;
    const { kind, metadata } = oldest;
    if (oldest !== self)
      elders.push({ name, owner: { kind, namespace: metadata.namespace, name: metadata.name } });
  }
  return elders;
}

/** Who is leaving, only looks, or is not let in by the domain gets no name, however old it is. */
const mayHold = async (
  object: KubernetesObject,
  domain: KubernetesObject,
  source: Source,
): Promise<boolean> =>
  object.metadata.deletionTimestamp === undefined &&
  parseSipUser(object).adoptionPolicy !== "Observe" &&
  (await takesNamespace(domain, object.metadata.namespace, source));
