/** The tables that OpenSIPS and Strowger share: their version numbers, and warnings about tables that another tool created. */
import type { Statements } from "./database.ts";

/** `version` rows of OpenSIPS 4.0. Its modules start only on an equal number, so a row that exists is never changed. */
export const opensipsVersions: ReadonlyMap<string, number> = new Map([
  ["domain", 4],
  ["subscriber", 8],
  ["location", 1013],
  ["dbaliases", 2],
  ["acc", 7],
  ["missed_calls", 5],
]);

/** Required columns. Version numbers prove nothing, because OpenSIPS did not raise them with every change. */
const requiredColumns: ReadonlyMap<string, readonly string[]> = new Map([
  ["domain", ["domain"]],
  ["subscriber", ["username", "domain", "ha1"]],
  ["dbaliases", ["alias_username", "alias_domain", "username", "domain"]],
  [
    "location",
    ["contact_id", "username", "domain", "contact", "received", "path", "expires", "q", "callid", "cseq"],
  ],
]);

export async function existingTables(database: Statements): Promise<ReadonlySet<string>> {
  const rows = await database.rows<{ name: string }>(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
  );
  return new Set(rows.map(({ name }) => name));
}

export async function columnsOf(database: Statements, table: string): Promise<ReadonlySet<string>> {
  const rows = await database.rows<{ name: string }>(
    "SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
    [table],
  );
  return new Set(rows.map(({ name }) => name.toLowerCase()));
}

/** One sentence for each table that differs from the table that this program creates. */
export async function warnings(database: Statements): Promise<readonly string[]> {
  const tables = await database.rows<{ name: string; engine: string | null; collation: string | null }>(
    `SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_COLLATION AS collation
       FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME`,
  );
  const found: string[] = [];
  for (const { name, engine, collation } of tables.filter(({ name }) => opensipsVersions.has(name))) {
    if (collation !== null && !/^utf8mb4_.*bin$/.test(collation)) {
      found.push(
        `table ${name} has the collation ${collation}: it is used as it is; names that differ only in case are equal in it`,
      );
    }
    if (engine !== null && engine !== "InnoDB") {
      found.push(`table ${name} is ${engine}, expected InnoDB: a crash can leave an incomplete change`);
    }
    const columns = await columnsOf(database, name);
    const missing = (requiredColumns.get(name) ?? []).filter((column) => !columns.has(column));
    if (missing.length > 0) {
      found.push(
        `table ${name} is from an older OpenSIPS and lacks the columns ${missing.join(", ")}: it cannot be served`,
      );
    }
  }
  return found;
}
