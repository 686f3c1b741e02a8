import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parseDatabaseUrl, type DatabaseAddress } from "../../../operator/src/adapters/mysql/database-url.ts";
import { Database } from "../../../operator/src/adapters/mysql/database.ts";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import { migrate, schemaStatus } from "../../../operator/src/adapters/mysql/migrate.ts";
import { readMigrations, type Migration } from "../../../operator/src/adapters/mysql/migration-files.ts";
import { schemaRange } from "../../../sip-node/src/adapters/mysql/node-table.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { additive, breaking, newest, NextVersion } from "./next-version.ts";

let mariadb: TestMariadb;
let database: Database;
let migrations: readonly Migration[];
let labels: readonly string[];

beforeAll(async () => {
  mariadb = await startMariadb();
  database = new Database(parseDatabaseUrl(mariadb.url) as DatabaseAddress);
  migrations = await readMigrations();
  labels = migrations.map(({ number, name }) => `${String(number).padStart(4, "0")}-${name}`);
});

afterAll(async () => {
  await database.close();
  await mariadb[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await mariadb.query("DROP DATABASE strowger");
  await mariadb.query("CREATE DATABASE strowger CHARACTER SET utf8mb4");
  await mariadb.query("USE strowger");
});

const versions = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await mariadb.query<{ table_name: string; table_version: number }>("SELECT * FROM version")).map(
      (row) => [row.table_name, row.table_version],
    ),
  );

test("an empty database gets every table, the version rows of OpenSIPS 4.0, and an installation id; a second run changes nothing", async () => {
  const first = await migrate(database, migrations);
  expect(first.applied).toEqual(labels);
  expect(first.warnings).toEqual([]);
  expect(await versions()).toEqual({
    domain: 4,
    subscriber: 8,
    location: 1013,
    dbaliases: 2,
    acc: 7,
    missed_calls: 5,
  });
  const second = await migrate(database, migrations);
  expect(second.applied).toEqual([]);
  expect(second.installationId).toBe(first.installationId);
  expect(first.installationId).toMatch(/^[0-9a-f-]{36}$/);
});

test("names are case-sensitive, and trailing spaces count in a look-up", async () => {
  await migrate(database, migrations);
  for (const name of ["alice", "Alice"]) {
    await mariadb.query("INSERT INTO subscriber (username, domain) VALUES (?, 'd')", [name]);
  }
  const found = async (name: string) =>
    mariadb.query("SELECT username FROM subscriber WHERE username = ? AND domain = 'd'", [name]);
  expect(await found("Alice")).toEqual([{ username: "Alice" }]);
  expect(await found("alice ")).toEqual([]);
});

test("two concurrent migrations both succeed, and each migration is applied once", async () => {
  const other = new Database(parseDatabaseUrl(mariadb.url) as DatabaseAddress);
  const reports = await Promise.all([migrate(database, migrations), migrate(other, migrations)]);
  await other.close();
  expect(reports.flatMap(({ applied }) => applied)).toHaveLength(migrations.length);
  expect(reports[0].installationId).toBe(reports[1].installationId);
});

test("the lease of a dead migrator expires by the database's clock", async () => {
  await migrate(database, migrations);
  await mariadb.query(
    "UPDATE strowger_lease SET holder = 'dead', expires_at = UNIX_TIMESTAMP(NOW(3)) * 1000 + 700",
  );
  const start = performance.now();
  await migrate(database, migrations);
  expect(performance.now() - start).toBeGreaterThan(500);
});

test("an interrupted migration continues, and still writes version rows for the tables that it created", async () => {
  const [first] = migrations;
  const cutOff = { ...first!, statements: [...first!.statements.slice(0, 3), "THIS IS NO SQL"] };
  await expect(migrate(database, [cutOff])).rejects.toThrow();
  const interrupted = await schemaStatus(database, migrations);
  expect(interrupted.migrations.map(({ state }) => state)).toEqual([
    "unfinished",
    ...labels.slice(1).map(() => "pending"),
  ]);
  await migrate(database, migrations);
  expect(await versions()).toMatchObject({ domain: 4, subscriber: 8, acc: 7 });
});

test("a dropped table is created again with all later columns; other tables keep their rows", async () => {
  await migrate(database, migrations);
  const columns = async (): Promise<readonly object[]> =>
    mariadb.query(
      "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'strowger' ORDER BY 1, ORDINAL_POSITION",
    );
  const before = await columns();
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  for (const table of ["strowger_node", "location", "version"]) await mariadb.query(`DROP TABLE ${table}`);
  expect((await migrate(database, migrations)).applied).toHaveLength(migrations.length);
  expect(await columns()).toEqual(before);
  expect(await mariadb.query("SELECT domain FROM domain")).toEqual([{ domain: "example.com" }]);
  // Tables that were not created by this run have no version row.
  expect(await versions()).toEqual({ location: 1013 });
  expect((await migrate(database, migrations)).applied).toEqual([]);
});

test("a column that an interrupted migration added is not added again, and the rows of nodes stay", async () => {
  const [tables, own, figures] = migrations;
  await migrate(database, [tables!, own!]);
  await mariadb.query(
    "INSERT INTO strowger_node (node_id, address, started_at, beat_at) VALUES ('n', '192.0.2.1:7060', 1, 1)",
  );
  const cutOff = { ...figures!, statements: [...figures!.statements.slice(0, 2), "THIS IS NO SQL"] };
  await expect(migrate(database, [tables!, own!, cutOff])).rejects.toThrow();
  expect((await migrate(database, migrations)).applied).toEqual(labels.slice(2));
  expect(
    await mariadb.query(
      "SELECT name, calls_per_minute, requests_per_minute, outside_seen_at FROM strowger_node",
    ),
  ).toEqual([{ name: "", calls_per_minute: 0, requests_per_minute: 0, outside_seen_at: 0 }]);
});

test("a latin1 database of OpenSIPS 2.1 is not changed, with warnings", async () => {
  await mariadb.query("ALTER DATABASE strowger CHARACTER SET latin1");
  await mariadb.query(
    "CREATE TABLE version (table_name CHAR(32) NOT NULL, table_version INT UNSIGNED DEFAULT 0 NOT NULL, UNIQUE (table_name))",
  );
  await mariadb.query("INSERT INTO version VALUES ('domain', 3), ('subscriber', 7)");
  await mariadb.query(
    `CREATE TABLE domain (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, domain CHAR(64) DEFAULT '' NOT NULL, attrs CHAR(255),
       last_modified DATETIME DEFAULT '1900-01-01 00:00:01' NOT NULL, UNIQUE (domain))`,
  );
  await mariadb.query(
    `CREATE TABLE subscriber (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, username CHAR(64) DEFAULT '' NOT NULL,
       domain CHAR(64) DEFAULT '' NOT NULL, password CHAR(25) DEFAULT '' NOT NULL, ha1 CHAR(64) DEFAULT '' NOT NULL,
       ha1b CHAR(64) DEFAULT '' NOT NULL, UNIQUE (username, domain)) ENGINE=MyISAM`,
  );
  await mariadb.query("INSERT INTO domain (domain) VALUES ('old.example')");
  const before = await mariadb.query("SHOW CREATE TABLE subscriber");
  const { warnings } = await migrate(database, migrations);
  expect(await mariadb.query("SHOW CREATE TABLE subscriber")).toEqual(before);
  expect(await mariadb.query("SELECT domain FROM domain")).toEqual([{ domain: "old.example" }]);
  expect(await versions()).toEqual({
    domain: 3,
    subscriber: 7,
    location: 1013,
    dbaliases: 2,
    acc: 7,
    missed_calls: 5,
  });
  expect(warnings).toHaveLength(3);
  expect(warnings.join("\n")).toMatch(/domain has the collation latin1_swedish_ci[^]*subscriber is MyISAM/);
});

test("a migration whose text differs from the applied one is refused", async () => {
  await migrate(database, migrations);
  await mariadb.query("UPDATE strowger_migration SET checksum = 'other' WHERE number = 1");
  await expect(migrate(database, migrations)).rejects.toThrow(
    /0001-opensips-tables differs from the migration that was applied/,
  );
});

async function nextVersion(): Promise<readonly Migration[]> {
  await using version = await NextVersion.make();
  return await readMigrations(join(version.checkout, "schema"));
}

const writeHeartbeat = (name: string, schemaMax: number, draining = 0): Promise<unknown> =>
  mariadb.query(
    `REPLACE INTO strowger_node (node_id, address, name, schema_min, schema_max, draining, started_at, beat_at)
      VALUES (?, '192.0.2.1:7060', ?, 3, ?, ?, 1, UNIX_TIMESTAMP(NOW(3)) * 1000)`,
    [name.slice(0, 12), name, schemaMax, draining],
  );

const expireHeartbeat = (name: string): Promise<unknown> =>
  mariadb.query("UPDATE strowger_node SET beat_at = beat_at - 10000 WHERE name = ?", [name]);

test("a migration that older nodes do not support waits while such a node is alive, also a draining one; migrations before it do not wait (design-kubernetes rule 9)", async () => {
  await migrate(database, migrations);
  await writeHeartbeat("old", newest, 1);
  await writeHeartbeat("knows-enough", newest + 1);
  const next = await nextVersion();
  const first = await migrate(database, next);
  expect(first).toMatchObject({
    applied: [additive],
    waits: { label: breaking, servesFrom: newest + 1, nodes: ["old"] },
  });
  expect((await schemaStatus(database, next)).waits).toEqual(first.waits);
  expect((await mariadb.query("SELECT MAX(number) AS last FROM strowger_migration"))[0]).toEqual({
    last: newest + 1,
  });
  await expireHeartbeat("old");
  expect(await migrate(database, next)).toMatchObject({ applied: [breaking], waits: undefined });
  expect(await migrate(database, next)).toMatchObject({ applied: [], waits: undefined });
});

test("a node that writes a heartbeat between the check and the announcement delays the migration, and the announcement is withdrawn", async () => {
  await migrate(database, migrations);
  await mariadb.query(
    `CREATE TRIGGER late AFTER INSERT ON strowger_migration FOR EACH ROW
       INSERT IGNORE INTO strowger_node (node_id, address, name, schema_max, started_at, beat_at)
       SELECT 'late', '', 'late', ${newest}, 1, UNIX_TIMESTAMP(NOW(3)) * 1000 FROM DUAL WHERE NEW.number = ${newest + 2}`,
  );
  expect((await migrate(database, await nextVersion())).waits?.nodes).toEqual(["late"]);
  expect(await mariadb.query(`SELECT number FROM strowger_migration WHERE number = ${newest + 2}`)).toEqual(
    [],
  );
});

test("an interrupted breaking migration continues; a column that it has already dropped is not an error", async () => {
  const next = await nextVersion();
  const cutOff = { ...next.at(-1)!, statements: [...next.at(-1)!.statements, "THIS IS NO SQL"] };
  await expect(migrate(database, [...next.slice(0, -1), cutOff])).rejects.toThrow();
  expect((await schemaStatus(database, next)).migrations.at(-1)?.state).toBe("unfinished");
  expect((await migrate(database, next)).applied).toEqual([breaking]);
});

test("a program that needs the waiting migration refuses the database, with the names of the nodes", async () => {
  await migrate(database, migrations.slice(0, 2));
  await mariadb.query(
    "INSERT INTO strowger_node (node_id, address, schema_max, started_at, beat_at) VALUES ('old', '', 2, 1, UNIX_TIMESTAMP(NOW(3)) * 1000)",
  );
  const breaking = { ...migrations[2]!, servesFrom: 3 };
  const error = await migrate(database, [...migrations.slice(0, 2), breaking]).catch(
    (cause: unknown) => cause,
  );
  expect(failureOf(error)).toMatchObject({
    reason: "MigrationWaits",
    message: expect.stringMatching(/0003-node-figures waits .* outdated nodes: old\./) as unknown,
  });
});

test("after a rollback an older operator supports newer additive migrations, and refuses others", async () => {
  const next = await nextVersion();
  await migrate(database, next.slice(0, -1));
  expect(await migrate(database, migrations)).toMatchObject({ applied: [], waits: undefined });
  await migrate(database, next);
  await expect(migrate(database, migrations)).rejects.toThrow(
    `${breaking} of a newer version, which requires programs that know schema ${newest + 1} or later; this program knows up to ${newest}`,
  );
});

test("an earlier version's table of migrations gets the new column, and every program supports its migrations", async () => {
  await migrate(database, migrations);
  await mariadb.query("ALTER TABLE strowger_migration DROP COLUMN serves_from");
  expect((await schemaStatus(database, migrations)).migrations).toEqual(
    expect.arrayContaining([{ name: "0003-node-figures", state: "applied", servesFrom: 1 }]),
  );
  expect((await migrate(database, migrations)).applied).toEqual([]);
  expect(await mariadb.query("SELECT DISTINCT serves_from FROM strowger_migration")).toEqual([
    { serves_from: 1 },
  ]);
});

test("a node's schema number is that of the last migration", () => {
  expect(schemaRange.max).toBe(migrations.at(-1)?.number);
});

test("a read-only server is refused before anything is written", async () => {
  await mariadb.query("SET GLOBAL read_only = 1");
  try {
    await expect(migrate(database, migrations)).rejects.toThrow(/read-only/);
    expect(await mariadb.query("SHOW TABLES")).toEqual([]);
  } finally {
    await mariadb.query("SET GLOBAL read_only = 0");
  }
});

test("strowger db: `create` creates the database, `status` prints the migrations, and a failure is one line without the password", async () => {
  const url = mariadb.url.replace("/strowger", "/fresh");
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "../../../cli/src/main.ts"),
      "db",
      ...args,
    ]);
  expect((await run("create", "--url", url)).stdout).toContain(`applied ${labels.join(", ")}`);
  expect((await run("create", "--url", url)).stdout).toMatch(/nothing to do/);
  expect((await run("status", "--url", url)).stdout).toMatch(/0002-strowger-tables: applied/);
  await mariadb.query(
    "INSERT INTO fresh.strowger_migration VALUES (98, 'zone', '', '', 1, NOW(), 1), (99, 'less', '', '', 1, NOW(), 99)",
  );
  expect((await run("status", "--url", url)).stdout).toMatch(
    /0098-zone: of a newer version\n0099-less: of a newer version, serves programs that know 99 or later\n/,
  );
  const [row] = await mariadb.query<{ collation: string }>(
    "SELECT DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'fresh'",
  );
  expect(row?.collation).toBe("utf8mb4_nopad_bin");
  const failed = await run("status", "--url", url.replace("root@", "root:geheim@")).catch(
    (error: { stderr: string; code: number }) => error,
  );
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^strowger db: .*Access denied.*\n$/) as unknown,
  });
  expect(failed.stderr).not.toContain("geheim");
});
