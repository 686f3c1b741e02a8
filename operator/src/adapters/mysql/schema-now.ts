/**
 * How a database stands: which migrations it has, and who can serve it. A migration states the lowest schema number that a program must
 * know to serve after it (`serves from`); a program that knows that number serves, whatever additive migrations came since (ADR 20). Pure.
 */
import type { Migration } from "./migration-files.ts";
import { UnservableDatabase } from "./server.ts";

export interface MigrationRow {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  /** Comma-separated tables that were absent when it began: those it may write a `version` row for. */
  readonly creates: string;
  readonly finished: number;
  /** Absent where an earlier version made the table: then everybody can serve. */
  readonly serves_from?: number;
}

/** A migration that is to be applied once the programs that could not serve after it are gone. */
export interface WaitingMigration {
  readonly label: string;
  readonly servesFrom: number;
}

export interface SchemaNow {
  /** The number of the last migration that is finished; 0: none. */
  readonly number: number;
  /** What a program must know; begun migrations count. */
  readonly servesFrom: number;
  /** The first that this program has and the database has not. */
  readonly next: WaitingMigration | undefined;
}

export interface WaitsForNodes extends WaitingMigration {
  /** Names; not empty. */
  readonly nodes: readonly string[];
}

/** A migration waits, and without it this program cannot serve. */
export class MigrationWaits extends UnservableDatabase {
  constructor(waits: WaitsForNodes) {
    super(sayWaiting(waits));
    this.name = "MigrationWaits";
  }
}

/** A node without a beat for longer, in ms, is gone. */
export const goneAfter = 10_000;

export function schemaNow(rows: readonly MigrationRow[], migrations: readonly Migration[]): SchemaNow {
  const next = migrations.find(
    ({ number }) => !rows.some((row) => row.number === number && row.finished === 1),
  );
  return {
    number: rows.reduce((last, { number, finished }) => (finished === 1 ? Math.max(last, number) : last), 0),
    servesFrom: rows.reduce((highest, { serves_from = 1 }) => Math.max(highest, serves_from), 1),
    next: next && { label: label(next), servesFrom: next.servesFrom },
  };
}

/** Throws `UnservableDatabase` where a newer version left something that this one cannot serve, or history was rewritten. */
export function refuseUnservable(rows: readonly MigrationRow[], migrations: readonly Migration[]): void {
  const knows = migrations.at(-1)?.number ?? 0;
  for (const row of rows) {
    const { number, checksum, finished, serves_from = 1 } = row;
    const known = migrations.find((migration) => migration.number === number);
    if (known === undefined && serves_from > knows) {
      throw new UnservableDatabase(
        `the schema has migration ${label(row)}, which a newer version made and which serves programs that know ${serves_from} or later; this one knows up to ${knows}: run the newer version again`,
      );
    }
    if (known !== undefined && finished === 1 && known.checksum !== checksum)
      throw new UnservableDatabase(
        `migration ${label(row)} is not the one that was applied to this database`,
      );
  }
}

export const sayWaiting = ({ label, servesFrom, nodes }: WaitsForNodes): string =>
  `migration ${label} waits until every node knows schema ${servesFrom}; older: ${nodes.slice(0, 5).join(", ")}. Upgrade them by spec.version or spec.image`;

export const label = ({ number, name }: { readonly number: number; readonly name: string }): string =>
  `${String(number).padStart(4, "0")}-${name}`;
