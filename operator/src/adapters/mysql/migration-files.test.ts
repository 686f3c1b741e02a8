import { expect, test } from "vitest";
import { parseMigration, readMigrations } from "./migration-files.ts";

test("comments and layout are not part of the checksum, statements are", () => {
  const one = parseMigration("0001-a.sql", "-- why\nCREATE TABLE IF NOT EXISTS t (\n  id INT\n);\n");
  const same = parseMigration("0001-a.sql", "CREATE TABLE IF NOT EXISTS t ( id INT );");
  const other = parseMigration("0001-a.sql", "CREATE TABLE IF NOT EXISTS t ( id BIGINT );");
  expect(one).toMatchObject({ number: 1, name: "a", tables: ["t"], checksum: same.checksum });
  expect(other.checksum).not.toBe(one.checksum);
});

test("the first line of a migration states the schema number that programs must know, and the checksum includes it", () => {
  const sql = "ALTER TABLE strowger_t DROP COLUMN c;\n";
  const additive = parseMigration("0004-a.sql", sql);
  const breaking = parseMigration("0004-a.sql", `-- serves from: 4\n-- why\n${sql}`);
  expect([additive.servesFrom, breaking.servesFrom]).toEqual([1, 4]);
  expect(breaking.checksum).not.toBe(additive.checksum);
  for (const head of [
    "-- serves from: 5",
    "-- serves from: 0",
    "-- serves from: x",
    "--serves from 4",
    "\n-- serves from: 4",
  ])
    expect(() => parseMigration("0004-a.sql", `${head}\n${sql}`), head).toThrow(
      /schema\/0004-a.sql, line [12]/,
    );
});

test("a migration of /schema creates tables where they are absent, in InnoDB, with a primary key and the collation of names, or adds columns with a default to tables of ours", async () => {
  const migrations = await readMigrations();
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    if (statement.startsWith("ALTER")) {
      expect(statement).toMatch(
        /^ALTER TABLE strowger_\w+ ADD COLUMN \w+ [^,]+ DEFAULT [^\s,]+(, ADD INDEX \w+ \(\w+\))?$/,
      );
      continue;
    }
    expect(statement).toMatch(/^CREATE TABLE IF NOT EXISTS /);
    expect(statement).toMatch(/PRIMARY KEY/);
    expect(statement).toMatch(/ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE \{names\}$/);
  }
});
