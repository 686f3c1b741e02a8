/** Tries a login on a new connection, because open connections survive a change of the password. */
import { Database } from "./database.ts";
import type { DatabaseAddress } from "./database-url.ts";

/** Throws what the connection and one query throw. */
export async function tryLogin(address: DatabaseAddress): Promise<void> {
  await using database = new Database(address);
  await database.rows("SELECT 1 AS one");
}
