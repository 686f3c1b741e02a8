/** Tables that somebody dropped: they are made again as they were, by the migrations that made them. */
import type { Statements } from "./database.ts";
import { readMigrations, type Migration } from "./migration-files.ts";
import { readMigrationRows } from "./migration-rows.ts";
import { existingTables } from "./opensips-tables.ts";
import type { MigrationRow } from "./schema-now.ts";

/**
 * The number of the first finished migration of whose tables one is missing that no later one took away; Infinity: none is. That one is to
 * be applied again, and those after it, for they may have changed the table.
 */
export function firstLost(
  migrations: readonly Migration[],
  rows: readonly MigrationRow[],
  existing: ReadonlySet<string>,
): number {
  const finished = migrations.filter(({ number }) =>
    rows.some((row) => row.number === number && row.finished === 1),
  );
  const isTaken = (table: string, since: number): boolean =>
    finished.some(({ number, statements }) => number > since && statements.some((sql) => drops(sql, table)));
  const lost = finished.find(({ number, tables }) =>
    tables.some((table) => !existing.has(table) && !isTaken(table, number)),
  );
  return lost?.number ?? Number.POSITIVE_INFINITY;
}

const drops = (sql: string, table: string): boolean =>
  new RegExp(`^DROP TABLE (IF EXISTS )?${table}\\b`).test(sql);

/** Whether some table is gone that this database had. */
export async function areTablesLost(database: Statements): Promise<boolean> {
  const existing = await existingTables(database);
  if (!existing.has("strowger_migration")) return true;
  const lost = firstLost(await readMigrations(), await readMigrationRows(database), existing);
  return lost !== Number.POSITIVE_INFINITY;
}
