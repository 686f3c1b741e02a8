/** What a decision about a SipDomain looks at: its cluster, its owner row, and everything that bears one of its names. */
import type { DomainSettings } from "../adapters/mysql/domain-rows.ts";
import type { Claim, Elder, Owner } from "../ownership.ts";
import { splitKey, type ObjectKey } from "../runtime/object.ts";
import type { Presence } from "../runtime/source.ts";
import type { DomainFields } from "./resource.ts";

export type DomainState =
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

/** For a message: the name alone within the same namespace. */
export function nameFor(key: ObjectKey, namespace: string): string {
  const found = splitKey(key);
  return found.namespace === namespace ? found.name : key;
}
