/**
 * The location store on MySQL (`../../location/location-store.ts`): one statement for a batch of look-ups, one transaction for a batch
 * of changes.
 *
 *   START TRANSACTION                                                          ┐
 *   lock the row of this node                                                  │ marked gone: join again, then from the start
 *   raise the version of every AoR, if it is still the one of the plan         │ fewer rows than changes: another node was faster
 *   write `location`, write `strowger_flow`                                    ┘ one text (docs/adr/0049)
 *   COMMIT                                                                     connection lost: read the rows again
 */
import type { AccountChanges } from "../../location/account-changes.ts";
import type { Aor, Resolution } from "../../location/account.ts";
import {
  type AorBindings,
  type Binding,
  type BindingChange,
  type CommitOutcome,
  noBindings,
  type OwnedBinding,
} from "../../location/binding.ts";
import type { DialogTarget } from "../../location/dialog-target.ts";
import type { LocationStore, NameKind } from "../../location/location-store.ts";
import { StoreUnavailable } from "../../location/location-store.ts";
import { readAccountChanges } from "./account-changes.ts";
import { readBindings, readBindingsByContact, readBindingsById, readBindingsOfPage } from "./binding-rows.ts";
import { raisedRows, raiseVersions, writeBindings } from "./binding-statements.ts";
import { type CommitFence, type MembershipCheck, noFence } from "./commit-fence.ts";
import { AmbiguousCommit } from "./connection-errors.ts";
import { affectedRows, type Database } from "./database.ts";
import { readDialogTargets, writeDialogTargets } from "./dialog-target-rows.ts";
import { inParts } from "./placeholders.ts";
import { readNames } from "./read-names.ts";
import { readByNames, refusedColumn } from "./refused-values.ts";
import { resolveNames } from "./resolve-names.ts";
import { resolvePage } from "./resolve-page.ts";
import { readTableColumns, type TableColumns } from "./table-columns.ts";

export class LocationTables implements LocationStore {
  private readonly database: Database;
  private readonly socket: () => string | undefined;
  private readonly fence: Pick<CommitFence, "run">;
  private columns: TableColumns | undefined;

  /** `socket`: the value of `location.socket` without its transport; undefined: NULL. */
  constructor(database: Database, socket: () => string | undefined, fence = noFence) {
    this.database = database;
    this.socket = socket;
    this.fence = fence;
  }

  async resolve(names: readonly Aor[], isPage = false): Promise<readonly Resolution[]> {
    this.columns ??= await readTableColumns(this.database);
    const { database, columns } = this;
    if (isPage && columns.haveOneOrder) return resolvePage(database, names, columns);
    if (isPage) return inParts(names, (part) => this.resolve(part));
    return readByNames(
      names,
      () => resolveNames(database, names, columns),
      async ({ domain }) => {
        const [found] = await resolveNames(database, [{ username: "", domain }], columns);
        return { domain: found?.domain, account: undefined };
      },
    );
  }

  async bindings(aors: readonly Aor[], isPage = false): Promise<readonly AorBindings[]> {
    if (isPage) {
      this.columns ??= await readTableColumns(this.database);
      if (this.columns.haveOneOrder) return readBindingsOfPage(this.database, aors);
      return inParts(aors, (part) => this.bindings(part));
    }
    return readByNames(
      aors,
      () => readBindings(this.database, aors),
      () => noBindings,
    );
  }

  bindingsById(ids: readonly string[]): Promise<readonly (Binding | undefined)[]> {
    return readBindingsById(this.database, ids);
  }

  bindingsByContact(key: string, limit: number): Promise<readonly OwnedBinding[]> {
    return readBindingsByContact(this.database, key, limit);
  }

  accountChanges(withTables: boolean): Promise<AccountChanges> {
    return readAccountChanges(this.database, withTables);
  }

  names(kind: NameKind, after: Aor, limit: number): Promise<readonly Aor[]> {
    return readNames(this.database, kind, after, limit);
  }

  dialogTargets(sideIds: readonly string[]): Promise<readonly (DialogTarget | undefined)[]> {
    return readDialogTargets(this.database, sideIds);
  }

  async storeDialogTargets(targets: readonly DialogTarget[]): Promise<void> {
    await this.database.transaction("keep targets", async (session) => {
      await writeDialogTargets(session, targets);
      return true;
    });
  }

  async commit(changes: readonly BindingChange[]): Promise<readonly CommitOutcome[]> {
    const outcomes = await this.commitTogether(changes);
    if (outcomes !== undefined) return outcomes;
    const middle = Math.ceil(changes.length / 2);
    const first = await this.commit(changes.slice(0, middle));
    return [...first, ...(await this.commit(changes.slice(middle)))];
  }

  private commitTogether(changes: readonly BindingChange[]): Promise<readonly CommitOutcome[] | undefined> {
    return this.fence.run((membership) => this.commitInside(changes, membership));
  }

  /** Undefined if the whole batch was refused, because of a conflict or of one row: then it is tried in halves. Never for one change. */
  private async commitInside(
    changes: readonly BindingChange[],
    membership: MembershipCheck,
  ): Promise<readonly CommitOutcome[] | undefined> {
    const statements = [
      membership.statement,
      raiseVersions(changes),
      ...writeBindings(changes, this.socket()),
    ];
    if (changes.length > 1 && isTooLong(statements)) return undefined;
    try {
      const isDone = await this.database.transactionText(
        "commit",
        statements,
        ([own, versions]) => membership.passes(own) && affectedRows(versions) === raisedRows(changes),
      );
      if (isDone) return changes.map(() => "committed");
      return changes.length === 1 ? ["conflict"] : undefined;
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      if (error instanceof AmbiguousCommit) return this.readBack(changes);
      return changes.length === 1 ? [outcomeOf(error)] : undefined;
    }
  }

  /** After an ambiguous COMMIT the stored rows show the outcome. */
  private async readBack(changes: readonly BindingChange[]): Promise<readonly CommitOutcome[]> {
    const lists = await this.bindings(changes.map(({ aor }) => aor));
    return changes.map(({ bindings }, i) => {
      const rows = new Map(lists[i]?.bindings.map((row) => [row.id, row]));
      const isThere = bindings.every((binding) => {
        const row = rows.get(binding.id);
        return (
          row?.callId === binding.callId &&
          row.cseq === binding.cseq &&
          row.expiresIn > 0 === binding.expiresIn > 0
        );
      });
      return isThere
        ? "committed"
        : { failed: "the connection was lost during COMMIT and nothing was stored" };
    });
  }
}

/** MySQL 5.7 refuses packets of more than 4 MB, and closes the connection. */
const maxTextLength = 2_000_000;
const isTooLong = (statements: readonly string[]): boolean =>
  statements.reduce((sum, { length }) => sum + length, 0) > maxTextLength;

function outcomeOf(error: unknown): CommitOutcome {
  const unfit = refusedColumn(error);
  return unfit === undefined ? { failed: error instanceof Error ? error.message : String(error) } : { unfit };
}
