/** The rows of `strowger_migration`, and the nodes that a migration may wait for. */
import type { Statements } from "./database.ts";
import { databaseNow } from "./database-time.ts";
import { columnsOf, existingTables } from "./opensips-tables.ts";
import { nodeTimeout, type MigrationRow } from "./schema-now.ts";

interface Definer {
  define(statement: string): Promise<unknown>;
}

const migrationTable = `CREATE TABLE IF NOT EXISTS strowger_migration (
  number INT UNSIGNED NOT NULL PRIMARY KEY,
  name VARCHAR(128) NOT NULL,
  checksum CHAR(64) NOT NULL,
  creates TEXT NOT NULL,
  finished TINYINT UNSIGNED NOT NULL DEFAULT 0,
  started_at DATETIME NOT NULL,
  serves_from INT UNSIGNED NOT NULL DEFAULT 1
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4`;

const duplicateColumn = 1060;
const noSuchColumn = 1091;

export async function defineMigrationTable(database: Statements & Definer): Promise<void> {
  await database.define(migrationTable);
  if ((await columnsOf(database, "strowger_migration")).has("serves_from")) return;
  await defineOnce(
    database,
    "ALTER TABLE strowger_migration ADD COLUMN serves_from INT UNSIGNED NOT NULL DEFAULT 1",
  );
}

/**
 * MySQL has no `ADD COLUMN IF NOT EXISTS` and no `DROP COLUMN IF EXISTS`. If the column exists already, or is gone already, this program or
 * another one has run the statement before.
 */
export async function defineOnce(database: Definer, statement: string): Promise<void> {
  try {
    await database.define(statement);
  } catch (error) {
    const { errno } = error as { readonly errno?: number };
    if (errno !== duplicateColumn && errno !== noSuchColumn) throw error;
  }
}

/** In order of their numbers. The columns depend on the version that created the table, so all are selected. */
export const readMigrationRows = (database: Statements): Promise<readonly MigrationRow[]> =>
  database.rows("SELECT * FROM strowger_migration ORDER BY number");

/** Names of live nodes, draining or not, that cannot serve after a migration with this `servesFrom`. */
export async function readOutdatedNodes(
  database: Statements,
  servesFrom: number,
): Promise<readonly string[]> {
  // Every program knows schema 1.
  if (servesFrom <= 1 || !(await existingTables(database)).has("strowger_node")) return [];
  const rows = await database.rows<{ node_id: string; name?: string }>(
    `SELECT * FROM strowger_node WHERE schema_max < ?
        AND CAST(beat_at AS SIGNED) > ${databaseNow} - ${nodeTimeout} ORDER BY started_at, node_id`,
    [servesFrom],
  );
  return rows.map(({ node_id, name = "" }) => name || node_id);
}
