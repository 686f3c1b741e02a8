/**
 * Whether rows of users, domains and aliases have changed since the last poll (docs/adr/0045). The operator raises a number with each write. The
 * server knows when a table was last changed, by whom ever, in whole seconds. Pure.
 */
import type { Epoch, Ms } from "../wire/units.ts";

/** What one poll of the database found. */
export interface AccountChanges {
  /** The operator raises it with each of its writes. */
  readonly changeSeq: string;
  /** The time by the database's clock. */
  readonly databaseNow: Epoch;
  /** When each table was last changed, in one text. "unknown": this server does not tell; undefined: it was not asked this time. */
  readonly tables: string | undefined;
  /** A table changed so recently that another change of the same second may follow. */
  readonly isTableFresh: boolean;
}

export type AccountsMoved = "no" | "tables" | "operator";

/** A poll that began longer ago proves nothing. */
const proofLifetime: Ms = 2_000;
/** On a server that does not tell when a table was changed, a user is believed for this time. */
export const maxUnprovenAge: Ms = 5_000;

export class AccountsState {
  private changeSeq: string | undefined;
  private tables: string | undefined;
  /** Another change may have followed in the second that `tables` tells. */
  private wasFresh = false;
  private polledAt: Ms = Number.NEGATIVE_INFINITY;

  /** What moved since the last poll; the first one moves everything. `startedAt`: when this poll was sent. */
  update(found: AccountChanges, startedAt: Ms): AccountsMoved {
    const byOperator = this.changeSeq !== found.changeSeq;
    const inTables =
      found.tables !== undefined && (this.tables !== found.tables || this.wasFresh || found.isTableFresh);
    this.changeSeq = found.changeSeq;
    this.polledAt = startedAt;
    if (found.tables !== undefined) {
      this.tables = found.tables;
      this.wasFresh = found.isTableFresh;
    }
    if (byOperator) return "operator";
    return inTables ? "tables" : "no";
  }

  /** Whether a user that was read at `readAt`, and not distrusted since, is as it is in the database now. */
  isProven(readAt: Ms, now: Ms): boolean {
    if (now - this.polledAt >= proofLifetime || this.tables === undefined) return false;
    return this.tables !== unknownTables || now - readAt < maxUnprovenAge;
  }
}

export const unknownTables = "unknown";
