import { expect, test } from "vitest";
import { firstLost } from "./lost-tables.ts";
import { parseMigration } from "./migration-files.ts";

const migrations = [
  parseMigration(
    "0001-a.sql",
    "CREATE TABLE IF NOT EXISTS kept (id INT);\nCREATE TABLE IF NOT EXISTS old (id INT);\n",
  ),
  parseMigration("0002-b.sql", "CREATE TABLE IF NOT EXISTS own (id INT);\n"),
  parseMigration("0003-c.sql", "DROP TABLE IF EXISTS old;\n"),
  parseMigration("0004-d.sql", "CREATE TABLE IF NOT EXISTS later (id INT);\n"),
];
const rows = (finished: readonly number[]) =>
  migrations.map(({ number, name, checksum }) => ({
    ...{ number, name, checksum, creates: "" },
    finished: finished.includes(number) ? 1 : 0,
  }));
const lost = (finished: readonly number[], ...tables: readonly string[]) =>
  firstLost(migrations, rows(finished), new Set(tables));

test("migrations are applied again from the first one that lost a table", () => {
  expect(lost([1, 2], "kept", "old", "own")).toBe(Infinity);
  expect(lost([1, 2], "kept", "old")).toBe(2);
  expect(lost([1, 2], "kept", "own")).toBe(1);
  expect(lost([1, 2])).toBe(1);
});

test("an unfinished migration has lost nothing, and a table that a later migration dropped is not missing", () => {
  expect(lost([1], "kept", "old")).toBe(Infinity);
  expect(lost([1, 2, 3], "kept", "own")).toBe(Infinity);
  expect(lost([1, 2, 3, 4], "kept", "own")).toBe(4);
});
