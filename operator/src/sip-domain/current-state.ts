/** The current state that a decision about a SipDomain reads: its cluster, its owner row, and every row and claim with one of its names. */
import type { DomainSettings } from "../adapters/mysql/domain-rows.ts";
import type { Claim, OlderObject, Owner } from "../ownership.ts";
import { splitKey, type ObjectKey } from "../runtime/object.ts";
import type { Existence } from "../runtime/source.ts";
import type { DomainFields } from "./resource.ts";

export type DomainState =
  /** `unready`: the cluster exists, but has no database, or does not own the database yet. */
  { readonly kind: "absent" | "unready" } | DomainRows;

export interface DomainRows {
  readonly kind: "ready";
  readonly installationId: string;
  /** Whether the cluster serves these names for this namespace. */
  readonly isAllowed: boolean;
  readonly owner: Owner<DomainFields> | undefined;
  /** The result of a live read of this object. Read only where the owner row has another uid. */
  readonly present: Existence | undefined;
  /** Claims of its names, by any object. */
  readonly claims: readonly Claim[];
  /** Unclaimed names that an older object requests too. */
  readonly olderObjects: readonly OlderObject[];
  /** Names in the table `domain` that are its own, whichever tool made them. In lower case, because an old table may ignore case. */
  readonly domains: readonly string[];
  /** Settings of its names, and of the domain in the owner row. */
  readonly settings: readonly DomainSettings[];
}

/** The text for a message: the name alone within the same namespace. */
export function nameFor(key: ObjectKey, namespace: string): string {
  const found = splitKey(key);
  return found.namespace === namespace ? found.name : key;
}
