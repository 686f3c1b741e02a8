import { expect, test } from "vitest";
import { parseMigration, readMigrations } from "./migration-files.ts";

test("comments and layout are not part of the checksum, statements are", () => {
  const one = parseMigration("0001-a.sql", "-- why\nCREATE TABLE IF NOT EXISTS t (\n  id INT\n);\n");
  const same = parseMigration("0001-a.sql", "CREATE TABLE IF NOT EXISTS t ( id INT );");
  const other = parseMigration("0001-a.sql", "CREATE TABLE IF NOT EXISTS t ( id BIGINT );");
  expect(one).toMatchObject({ number: 1, name: "a", tables: ["t"], checksum: same.checksum });
  expect(other.checksum).not.toBe(one.checksum);
});

test("a migration of /schema creates tables where they are absent, in InnoDB, with a primary key and the collation of names, or adds columns with a default to tables of ours", async () => {
  const migrations = await readMigrations();
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    if (statement.startsWith("ALTER")) {
      expect(statement).toMatch(/^ALTER TABLE strowger_\w+ ADD COLUMN \w+ [^,]+ DEFAULT \S+$/);
      continue;
    }
    expect(statement).toMatch(/^CREATE TABLE IF NOT EXISTS /);
    expect(statement).toMatch(/PRIMARY KEY/);
    expect(statement).toMatch(/ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE \{names\}$/);
  }
});
