/** Tables that were dropped. The migrations that created them create them again. */
import type { Statements } from "./database.ts";
import { readMigrations, type Migration } from "./migration-files.ts";
import { readMigrationRows } from "./migration-rows.ts";
import { existingTables } from "./opensips-tables.ts";
import type { MigrationRow } from "./schema-now.ts";

/**
 * The number of the first finished migration with a missing table, unless a later migration dropped the table; Infinity: there is none.
 * This migration and those after it are applied again, because later ones may have changed the table.
 */
export function firstLost(
  migrations: readonly Migration[],
  rows: readonly MigrationRow[],
  existing: ReadonlySet<string>,
): number {
  const finished = migrations.filter(({ number }) =>
    rows.some((row) => row.number === number && row.finished === 1),
  );
  const isDropped = (table: string, since: number): boolean =>
    finished.some(({ number, statements }) => number > since && statements.some((sql) => drops(sql, table)));
  const lost = finished.find(({ number, tables }) =>
    tables.some((table) => !existing.has(table) && !isDropped(table, number)),
  );
  return lost?.number ?? Number.POSITIVE_INFINITY;
}

const drops = (sql: string, table: string): boolean =>
  new RegExp(`^DROP TABLE (IF EXISTS )?${table}\\b`).test(sql);

/** Whether a table that this database had is missing. */
export async function areTablesLost(database: Statements): Promise<boolean> {
  const existing = await existingTables(database);
  if (!existing.has("strowger_migration")) return true;
  const lost = firstLost(await readMigrations(), await readMigrationRows(database), existing);
  return lost !== Number.POSITIVE_INFINITY;
}
