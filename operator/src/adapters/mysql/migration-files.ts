/** The numbered files of /schema: what to run, in which order, and which tables each makes. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Of the statements without comments and layout, so that a comment may change. */
  readonly checksum: string;
  /** With {names} unfilled. Each can be run again without harm. */
  readonly statements: readonly string[];
  /** Tables that it creates where they are absent. */
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

export function parseMigration(file: string, text: string): Migration {
  const statements = text
    .replace(/^\s*--.*$/gm, "")
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  const normal = statements.map((statement) => statement.replace(/\s+/g, " ")).join(";\n");
  return {
    number: Number(file.slice(0, 4)),
    name: file.slice(5, -".sql".length),
    checksum: createHash("sha256").update(normal).digest("hex"),
    statements,
    tables: statements.flatMap((statement) => /^CREATE TABLE IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? []),
  };
}
