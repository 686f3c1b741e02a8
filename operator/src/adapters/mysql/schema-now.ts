/**
 * The migrations that a database has, and the programs that can serve it. A migration states the lowest schema number that a program must
 * know to serve after it (`serves from`). A program that knows this number can serve, also after later additive migrations (ADR 20). Pure.
 */
import type { Migration } from "./migration-files.ts";
import { UnservableDatabase } from "./server.ts";

export interface MigrationRow {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  /** Comma-separated tables that were missing when it began. Only for these it may write a row of `version`. */
  readonly creates: string;
  readonly finished: number;
  /** Absent if an earlier version created the table: then every program can serve. */
  readonly serves_from?: number;
}

/** A migration that is applied when the programs that could not serve after it are gone. */
export interface WaitingMigration {
  readonly label: string;
  readonly servesFrom: number;
}

export interface SchemaNow {
  /** The number of the last finished migration; 0: none. */
  readonly number: number;
  /** The schema number that a program must know. Unfinished migrations count. */
  readonly servesFrom: number;
  /** The first migration of this program that the database lacks. */
  readonly next: WaitingMigration | undefined;
}

export interface WaitsForNodes extends WaitingMigration {
  /** Names; not empty. */
  readonly nodes: readonly string[];
}

/** A required migration waits for nodes. */
export class MigrationWaits extends UnservableDatabase {
  constructor(waits: WaitsForNodes) {
    super(describeWait(waits));
    this.name = "MigrationWaits";
  }
}

/** A node without a heartbeat for this time, in ms, is gone. */
export const nodeTimeout = 10_000;

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

/** Throws `UnservableDatabase` if this program does not know a migration that it must know, or if an applied migration was changed. */
export function checkServable(rows: readonly MigrationRow[], migrations: readonly Migration[]): void {
  const knows = migrations.at(-1)?.number ?? 0;
  for (const row of rows) {
    const { number, checksum, finished, serves_from = 1 } = row;
    const known = migrations.find((migration) => migration.number === number);
    if (known === undefined && serves_from > knows) {
      throw new UnservableDatabase(
        `the schema has migration ${label(row)} of a newer version, which requires programs that know schema ${serves_from} or later; this program knows up to ${knows}: run the newer version again`,
      );
    }
    if (known !== undefined && finished === 1 && known.checksum !== checksum)
      throw new UnservableDatabase(
        `migration ${label(row)} differs from the migration that was applied to this database`,
      );
  }
}

export const describeWait = ({ label, servesFrom, nodes }: WaitsForNodes): string =>
  `migration ${label} waits until every node knows schema ${servesFrom}; outdated nodes: ${nodes.slice(0, 5).join(", ")}. Upgrade them by spec.version or spec.image`;

export const label = ({ number, name }: { readonly number: number; readonly name: string }): string =>
  `${String(number).padStart(4, "0")}-${name}`;
