/** The numbered files of /schema: their statements in order, and the tables that each creates. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface Migration {
  readonly number: number;
  readonly name: string;
  /** The lowest schema number that a program must know to serve after it, from the first line (`-- serves from: N`). 1: it is additive. */
  readonly servesFrom: number;
  /** Of the statements and of `servesFrom`. Comments and layout are not included, so they may change. */
  readonly checksum: string;
  /** With the placeholder {names}. Each statement can be repeated. */
  readonly statements: readonly string[];
  /** Tables that it creates if they are missing. */
  readonly tables: readonly string[];
}

/** The folder of this program's migrations. */
const schemaFolder = fileURLToPath(new URL("../../../../schema/", import.meta.url));

/** The migrations of a folder, in order. */
export async function readMigrations(folder: string = schemaFolder): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}-.*\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => parseMigration(file, await readFile(`${folder}/${file}`, "utf8"))),
  );
}

/** Throws if the first line has an invalid number. */
export function parseMigration(file: string, text: string): Migration {
  const statements = text
    .replace(/^\s*--.*$/gm, "")
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  const normal = statements.map((statement) => statement.replace(/\s+/g, " ")).join(";\n");
  const number = Number(file.slice(0, 4));
  const servesFrom = readServesFrom(file, number, text);
  return {
    number,
    name: file.slice(5, -".sql".length),
    servesFrom,
    checksum: createHash("sha256")
      .update(servesFrom === 1 ? normal : `serves from ${servesFrom};\n${normal}`)
      .digest("hex"),
    statements,
    tables: statements.flatMap((statement) => /^CREATE TABLE IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? []),
  };
}

function readServesFrom(file: string, number: number, text: string): number {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => /^\s*--\s*serves from\b/i.test(line));
  if (at === -1) return 1;
  const stated = Number(/^-- serves from: (\d+)$/.exec(lines[at]?.trimEnd() ?? "")?.[1]);
  if (at === 0 && stated >= 1 && stated <= number) return stated;
  throw new Error(
    `schema/${file}, line ${at + 1}: "${lines[at] ?? ""}"; expected "-- serves from: N" on line 1, N from 1 to ${number}`,
  );
}
