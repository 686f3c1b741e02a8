import { expect, test } from "vitest";
import { parseMigration, readMigrations } from "./migration-files.ts";

test("comments and layout are not part of the checksum, statements are", () => {
  const one = parseMigration("0001-a.sql", "-- why\nCREATE TABLE IF NOT EXISTS t (\n  id INT\n);\n");
  const same = parseMigration("0001-a.sql", "CREATE TABLE IF NOT EXISTS t ( id INT );");
  const other = parseMigration("0001-a.sql", "CREATE TABLE IF NOT EXISTS t ( id BIGINT );");
  expect(one).toMatchObject({ number: 1, name: "a", tables: ["t"], checksum: same.checksum });
  expect(other.checksum).not.toBe(one.checksum);
});

test("every table of /schema is created only where it is absent, in InnoDB, with a primary key and the collation of names", async () => {
  const migrations = await readMigrations();
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    expect(statement).toMatch(/^CREATE TABLE IF NOT EXISTS /);
    expect(statement).toMatch(/PRIMARY KEY/);
    expect(statement).toMatch(/ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE \{names\}$/);
  }
});
