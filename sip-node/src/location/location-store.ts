/**
 * The database as the location service uses it. `adapters/mysql/location-tables.ts` implements it, and `process/assembly.ts` connects it. A
 * store can wrap another one, for example to answer from a copy. One contract suite tests every implementation.
 */
import type { AccountChanges } from "./account-changes.ts";
import type { Aor, Resolution } from "./account.ts";
import type { DialogTarget } from "./dialog-target.ts";
import type { AorBindings, Binding, BindingChange, CommitOutcome, OwnedBinding } from "./binding.ts";

export interface LocationStore {
  /**
   * One answer for each name, in order: domain and account. `isPage`: the names are all users from the first to the last, in the order of their
   * keys, so they can be read as one range. Throws `StoreUnavailable`.
   */
  resolve(names: readonly Aor[], isPage?: boolean): Promise<readonly Resolution[]>;
  /**
   * One answer for each address of record, in order: its bindings and their version, read together. `isPage`: as above. Throws
   * `StoreUnavailable`.
   */
  bindings(aors: readonly Aor[], isPage?: boolean): Promise<readonly AorBindings[]>;
  /** The binding of each `contact_id`, in order. Throws `StoreUnavailable`. */
  bindingsById(ids: readonly string[]): Promise<readonly (Binding | undefined)[]>;
  /**
   * Current bindings of all users whose contact has this `contactKey`; at most `limit`, in no order. Rows of other tools are not
   * included. Throws `StoreUnavailable`.
   */
  bindingsByContact(key: string, limit: number): Promise<readonly OwnedBinding[]>;
  /**
   * Whether users, domains and aliases have changed. `withTables`: also by other tools than the operator, which costs more. Throws
   * `StoreUnavailable`.
   */
  accountChanges(withTables: boolean): Promise<AccountChanges>;
  /**
   * Names after `after`, in the order of their keys; at most `limit`, none at the end. With the empty name they begin. A domain has an empty
   * user name. Throws `StoreUnavailable`.
   */
  names(kind: NameKind, after: Aor, limit: number): Promise<readonly Aor[]>;
  /** The target of each side of a dialog, in order. Throws `StoreUnavailable`. */
  dialogTargets(sideIds: readonly string[]): Promise<readonly (DialogTarget | undefined)[]>;
  /** Replaces the target of each side. No side may occur twice. Throws `StoreUnavailable`. */
  storeDialogTargets(targets: readonly DialogTarget[]): Promise<void>;
  /**
   * Commits all changes in one transaction. If that fails, it commits them in halves, so that no change fails because of another one.
   * Resolves after COMMIT. At most one change for each address of record. Throws `StoreUnavailable` when no change is known to be
   * stored.
   */
  commit(changes: readonly BindingChange[]): Promise<readonly CommitOutcome[]>;
}

export type NameKind = "domains" | "users" | "aliases";

/** The database is unavailable: the caller answers 500 with Retry-After. */
export class StoreUnavailable extends Error {
  constructor(what: string, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "StoreUnavailable";
  }
}
