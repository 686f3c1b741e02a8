/**
 * Finds the older objects that request the same names. An unclaimed name is left to the oldest object that requests it (ADR 33): after the
 * database was emptied, no name has a claim.
 */
import type { AdoptionPolicy, OlderObject } from "../ownership.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { isOlder, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";

export interface OlderObjectsInput {
  readonly index: NameIndex;
  /** Names are unique within this object: a SipCluster for domains, a SipDomain for users. */
  readonly scope: ObjectKey;
  /** Names whose rows this object owns. Only an object that may take rows over can get them. */
  readonly owned: readonly string[];
  /** Whether the scope serves that object. */
  readonly isAllowed: (object: KubernetesObject) => Promise<boolean>;
}

/** Returns those of `names` that an older object gets, each with the oldest object that requests it. */
export async function findOlderObjects(
  self: KubernetesObject,
  names: readonly string[],
  { index, scope, owned, isAllowed }: OlderObjectsInput,
): Promise<readonly OlderObject[]> {
  const older: OlderObject[] = [];
  for (const name of names) {
    let oldest = self;
    for (const other of index.find(indexName(scope, name)))
      if (isOlder(other, oldest) && mayGet(other, owned.includes(name)) && (await isAllowed(other)))
        oldest = other;
    const { kind, metadata } = oldest;
    if (oldest !== self)
      older.push({ name, owner: { kind, namespace: metadata.namespace, name: metadata.name } });
  }
  return older;
}

/** The key of a name in the index. */
export const indexName = (scope: ObjectKey, name: string): string => `${scope} ${name}`;

/** An object that is being deleted, or only observes, gets no name. */
function mayGet({ metadata, spec }: KubernetesObject, isOwned: boolean): boolean {
  const { adoptionPolicy = "Never" } = spec as { readonly adoptionPolicy?: AdoptionPolicy };
  return (
    metadata.deletionTimestamp === undefined &&
    adoptionPolicy !== "Observe" &&
    !(isOwned && adoptionPolicy === "Never")
  );
}
