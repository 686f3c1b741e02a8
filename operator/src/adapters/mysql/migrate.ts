/**
 * Migrates a database to the schema of this program. Only missing tables are created, so an existing table of OpenSIPS is not changed. A
 * table that was dropped is created again, and the migrations after it are applied again. Each step can be repeated: an interrupted
 * migration continues, and a lease keeps two programs from migrating at the same time. A migration after which live nodes could not serve
 * waits until these nodes are gone, and later migrations wait with it:
 *
 *   migrator  inserts an unfinished row ── reads the outdated nodes ── none: continues; some: deletes the row
 *   node      writes a heartbeat ── reads the rows ── serves; cannot: deletes its heartbeat
 *
 * If both begin at the same time, each writes before it reads, so at least one of them finds the other.
 */
import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";
import { databaseDatetime } from "./database-time.ts";
import { leaseTable, releaseLease, takeLease } from "./lease.ts";
import { firstLost } from "./lost-tables.ts";
import type { Migration } from "./migration-files.ts";
import { existingTables, opensipsVersions, warnings } from "./opensips-tables.ts";
import { defineMigrationTable, defineOnce, readOutdatedNodes, readMigrationRows } from "./migration-rows.ts";
import {
  label,
  MigrationWaits,
  checkServable,
  schemaNow,
  type MigrationRow,
  type WaitsForNodes,
} from "./schema-now.ts";
import { inspectServer, UnservableDatabase, type Server } from "./server.ts";

export interface MigrationReport {
  readonly server: Server;
  readonly installationId: string;
  /** Names of the migrations that were applied now. */
  readonly applied: readonly string[];
  /** The migration that waits for nodes to end. The database is served without it. */
  readonly waits: WaitsForNodes | undefined;
  readonly warnings: readonly string[];
}

export interface MigrationStatus {
  readonly name: string;
  /** `newer`: applied or begun by a later version. */
  readonly state: "applied" | "unfinished" | "pending" | "newer";
  readonly servesFrom: number;
}

export interface SchemaStatus {
  readonly server: Server;
  readonly migrations: readonly MigrationStatus[];
  readonly waits: WaitsForNodes | undefined;
  readonly installationId: string | undefined;
  readonly warnings: readonly string[];
}

/** The statements of this program need the migrations up to this number. Only a later one may wait. */
const lastRequired = 8;

const leaseMs = 30_000;
const leaseTimeoutMs = 120_000;

/**
 * Throws `UnservableDatabase` for a server or schema that this program must not change, `MigrationWaits` if a required migration waits for
 * nodes, `DatabaseUnavailable` if the database cannot be reached.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
): Promise<MigrationReport> {
  const server = await inspectServer(database);
  await database.define(leaseTable);
  await defineMigrationTable(database);
  const holder = randomUUID();
  await waitForLease(database, holder);
  try {
    const { applied, waits } = await applyPending(database, migrations, server, holder);
    return {
      server,
      installationId: await installationId(database),
      applied,
      waits,
      warnings: await warnings(database),
    };
  } finally {
    await releaseLease(database, "migrate", holder);
  }
}

/** Creates the database if it is missing. `database` is connected without a schema. */
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
  const rows = tables.has("strowger_migration") ? await readMigrationRows(database) : [];
  const states = migrations.map((migration) => {
    const row = rows.find(({ number }) => number === migration.number);
    const state = row === undefined ? "pending" : row.finished === 1 ? "applied" : "unfinished";
    return { name: label(migration), state, servesFrom: migration.servesFrom } as const;
  });
  const newer = rows
    .filter((row) => !migrations.some(({ number }) => number === row.number))
    .map((row) => ({ name: label(row), state: "newer", servesFrom: row.serves_from ?? 1 }) as const);
  const [meta] = tables.has("strowger_meta")
    ? await database.rows<{ id: string }>("SELECT installation_id AS id FROM strowger_meta WHERE id = 1")
    : [];
  const { next } = schemaNow(rows, migrations);
  const nodes = next === undefined ? [] : await readOutdatedNodes(database, next.servesFrom);
  return {
    server,
    migrations: [...states, ...newer],
    waits: next === undefined || nodes.length === 0 ? undefined : { ...next, nodes },
    installationId: meta?.id,
    warnings: await warnings(database),
  };
}

async function waitForLease(database: Database, holder: string): Promise<void> {
  const deadline = Date.now() + leaseTimeoutMs;
  while (!(await takeLease(database, "migrate", holder, leaseMs))) {
    if (Date.now() > deadline)
      throw new UnservableDatabase(
        `another program has been migrating this database for ${leaseTimeoutMs / 1000} s`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function applyPending(
  database: Database,
  migrations: readonly Migration[],
  server: Server,
  holder: string,
): Promise<Pick<MigrationReport, "applied" | "waits">> {
  const rows = await readMigrationRows(database);
  checkServable(rows, migrations);
  const applied: string[] = [];
  const lost = firstLost(migrations, rows, await existingTables(database));
  for (const migration of migrations) {
    const row = rows.find(({ number }) => number === migration.number);
    if (row?.finished === 1 && migration.number < lost) continue;
    const nodes = await applyOne(database, migration, row, server, holder);
    if (nodes.length > 0) {
      const waits = { label: label(migration), servesFrom: migration.servesFrom, nodes };
      if (migration.number <= lastRequired) throw new MigrationWaits(waits);
      return { applied, waits };
    }
    applied.push(label(migration));
  }
  return { applied, waits: undefined };
}

/** Returns the nodes that it waits for. Empty: it is applied. */
async function applyOne(
  database: Database,
  migration: Migration,
  row: MigrationRow | undefined,
  server: Server,
  holder: string,
): Promise<readonly string[]> {
  const { number, checksum, statements, tables } = migration;
  const before = await existingTables(database);
  const absent = tables.filter((table) => !before.has(table));
  const creates = row === undefined || row.finished === 1 ? absent : row.creates.split(",");
  // A begun migration continues: when it began, no node was outdated.
  const nodes = row === undefined ? await begin(database, migration, creates) : [];
  if (nodes.length > 0) return nodes;
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
  return [];
}

/** Inserts the unfinished row. Returns the nodes that it waits for; if there are any, the row is deleted. */
async function begin(
  database: Database,
  { number, name, checksum, servesFrom }: Migration,
  creates: readonly string[],
): Promise<readonly string[]> {
  const before = await readOutdatedNodes(database, servesFrom);
  if (before.length > 0) return before;
  await database.run(
    `INSERT IGNORE INTO strowger_migration (number, name, checksum, creates, started_at, serves_from) VALUES (?, ?, ?, ?, ${databaseDatetime}, ?)`,
    [number, name, checksum, creates.join(","), servesFrom],
  );
  const startedMeanwhile = await readOutdatedNodes(database, servesFrom);
  if (startedMeanwhile.length > 0)
    await database.run("DELETE FROM strowger_migration WHERE number = ? AND finished = 0", [number]);
  return startedMeanwhile;
}

/** The random id of this database's installation, created once. */
async function installationId(database: Database): Promise<string> {
  await database.run("INSERT IGNORE INTO strowger_meta (id, installation_id) VALUES (1, ?)", [randomUUID()]);
  const [row] = await database.rows<{ id: string }>(
    "SELECT installation_id AS id FROM strowger_meta WHERE id = 1",
  );
  if (row === undefined) throw new Error("strowger_meta has no row 1 although it was just inserted");
  return row.id;
}
