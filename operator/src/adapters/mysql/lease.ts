/**
 * A lease with one holder at a time, until the holder releases it or it expires by the database's clock. It is taken by a conditional
 * UPDATE, because GET_LOCK is local to one member of Galera.
 */
import type { Statements } from "./database.ts";
import { databaseNow } from "./database-time.ts";

export const leaseTable = `CREATE TABLE IF NOT EXISTS strowger_lease (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  holder VARCHAR(64) NOT NULL DEFAULT '',
  expires_at BIGINT UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4`;

/** Takes or renews the lease for `length` ms. Returns whether `holder` has it now. */
export async function takeLease(
  database: Statements,
  name: string,
  holder: string,
  length: number,
): Promise<boolean> {
  await database.run("INSERT IGNORE INTO strowger_lease (name) VALUES (?)", [name]);
  const taken = await database.run(
    `UPDATE strowger_lease SET holder = ?, expires_at = ${databaseNow} + ? WHERE name = ? AND (holder = ? OR expires_at < ${databaseNow})`,
    [holder, length, name, holder],
  );
  return taken === 1;
}

/** The next holder can take it at once. */
export async function releaseLease(database: Statements, name: string, holder: string): Promise<void> {
  await database.run("UPDATE strowger_lease SET holder = '', expires_at = 0 WHERE name = ? AND holder = ?", [
    name,
    holder,
  ]);
}
