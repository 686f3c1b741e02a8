/**
 * Brings a database to this program's schema. Only absent tables are created, so a table of OpenSIPS that exists stays as it is. Every
 * step can be run again: a migration that was cut off goes on, and two programs that migrate at once take turns by a lease.
 */
import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";
import { leaseTable, releaseLease, takeLease } from "./lease.ts";
import type { Migration } from "./migration-files.ts";
import { existingTables, opensipsVersions, warnings } from "./opensips-tables.ts";
import { inspectServer, UnservableDatabase, type Server } from "./server.ts";

export interface MigrationReport {
  readonly server: Server;
  readonly installationId: string;
  /** Names of what was applied now; empty when there was nothing to do. */
  readonly applied: readonly string[];
  readonly warnings: readonly string[];
}

interface MigrationRow {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  /** Comma-separated tables that were absent when it began: those it may write a `version` row for. */
  readonly creates: string;
  readonly finished: number;
}

export interface SchemaStatus {
  readonly server: Server;
  readonly migrations: readonly {
    readonly name: string;
    readonly state: "applied" | "unfinished" | "pending";
  }[];
  readonly installationId: string | undefined;
  readonly warnings: readonly string[];
}

const migrationTable = `CREATE TABLE IF NOT EXISTS strowger_migration (
  number INT UNSIGNED NOT NULL PRIMARY KEY,
  name VARCHAR(128) NOT NULL,
  checksum CHAR(64) NOT NULL,
  creates TEXT NOT NULL,
  finished TINYINT UNSIGNED NOT NULL DEFAULT 0,
  started_at DATETIME NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4`;

const duplicateColumn = 1060;
const leaseMs = 30_000;
const patienceMs = 120_000;

/** Throws `UnservableDatabase` for a server or schema that must not be touched, `DatabaseUnavailable` when it cannot be reached. */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
): Promise<MigrationReport> {
  const server = await inspectServer(database);
  await database.define(leaseTable);
  await database.define(migrationTable);
  const holder = randomUUID();
  await waitForLease(database, holder);
  try {
    const applied = await applyPending(database, migrations, server, holder);
    return {
      server,
      installationId: await installationId(database),
      applied,
      warnings: await warnings(database),
    };
  } finally {
    await releaseLease(database, "migrate", holder);
  }
}

/** Makes the database itself, where it is absent. `database` is connected without a schema. */
export async function createDatabase(database: Database, name: string): Promise<void> {
  const { nameCollation } = await inspectServer(database);
  await database.define(
    `CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4 COLLATE ${nameCollation}`,
  );
}

/** Reads only. */
export async function schemaStatus(
  database: Database,
  migrations: readonly Migration[],
): Promise<SchemaStatus> {
  const server = await inspectServer(database);
  const tables = await existingTables(database);
  const rows = tables.has("strowger_migration") ? await migrationRows(database) : [];
  const states = migrations.map(({ number, name }) => {
    const row = rows.find((other) => other.number === number);
    const state = row === undefined ? "pending" : row.finished === 1 ? "applied" : "unfinished";
    return { name: label(number, name), state } as const;
  });
  const [meta] = tables.has("strowger_meta")
    ? await database.rows<{ id: string }>("SELECT installation_id AS id FROM strowger_meta WHERE id = 1")
    : [];
  return { server, migrations: states, installationId: meta?.id, warnings: await warnings(database) };
}

async function waitForLease(database: Database, holder: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await takeLease(database, "migrate", holder, leaseMs))) {
    if (Date.now() > deadline)
      throw new UnservableDatabase(`another program has migrated this database for ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function applyPending(
  database: Database,
  migrations: readonly Migration[],
  server: Server,
  holder: string,
): Promise<readonly string[]> {
  const rows = await migrationRows(database);
  refuseUnknown(rows, migrations);
  const applied: string[] = [];
  for (const migration of migrations) {
    const row = rows.find(({ number }) => number === migration.number);
    if (row?.finished === 1) continue;
    await applyOne(database, migration, row, server, holder);
    applied.push(label(migration.number, migration.name));
  }
  return applied;
}

function refuseUnknown(rows: readonly MigrationRow[], migrations: readonly Migration[]): void {
  for (const { number, name, checksum, finished } of rows) {
    const known = migrations.find((migration) => migration.number === number);
    if (known === undefined) {
      throw new UnservableDatabase(
        `the schema has migration ${label(number, name)}, which a newer version made; this one knows up to ${migrations.at(-1)?.number ?? 0}`,
      );
    }
    if (finished === 1 && known.checksum !== checksum) {
      throw new UnservableDatabase(
        `migration ${label(number, name)} is not the one that was applied to this database`,
      );
    }
  }
}

async function applyOne(
  database: Database,
  { number, name, checksum, statements, tables }: Migration,
  row: MigrationRow | undefined,
  server: Server,
  holder: string,
): Promise<void> {
  const before = await existingTables(database);
  const creates = row?.creates.split(",") ?? tables.filter((table) => !before.has(table));
  await database.run(
    "INSERT IGNORE INTO strowger_migration (number, name, checksum, creates, started_at) VALUES (?, ?, ?, ?, NOW())",
    [number, name, checksum, creates.join(",")],
  );
  for (const statement of statements) {
    if (!(await takeLease(database, "migrate", holder, leaseMs)))
      throw new Error("lost the lease on migrations");
    await defineOnce(database, statement.replaceAll("{names}", server.nameCollation));
  }
  for (const table of creates) {
    const version = opensipsVersions.get(table);
    if (version === undefined) continue;
    await database.run("INSERT IGNORE INTO version (table_name, table_version) VALUES (?, ?)", [
      table,
      version,
    ]);
  }
  await database.run("UPDATE strowger_migration SET finished = 1, checksum = ? WHERE number = ?", [
    checksum,
    number,
  ]);
}

/** MySQL has no `ADD COLUMN IF NOT EXISTS`: a column that is there was added before the migration was cut off. */
async function defineOnce(database: Database, statement: string): Promise<void> {
  try {
    await database.define(statement);
  } catch (error) {
    if ((error as { readonly errno?: number }).errno !== duplicateColumn) throw error;
  }
}

/** The random id of this database's installation; made once. */
async function installationId(database: Database): Promise<string> {
  await database.run("INSERT IGNORE INTO strowger_meta (id, installation_id) VALUES (1, ?)", [randomUUID()]);
  const [row] = await database.rows<{ id: string }>(
    "SELECT installation_id AS id FROM strowger_meta WHERE id = 1",
  );
  if (row === undefined) throw new Error("strowger_meta has no row 1 although it was just inserted");
  return row.id;
}

const migrationRows = (database: Database): Promise<readonly MigrationRow[]> =>
  database.rows("SELECT number, name, checksum, creates, finished FROM strowger_migration ORDER BY number");

const label = (number: number, name: string): string => `${String(number).padStart(4, "0")}-${name}`;
