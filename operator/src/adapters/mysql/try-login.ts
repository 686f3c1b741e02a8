/** Whether a login works, on a connection of its own: connections that are open outlive the password that they were made with. */
import { Database } from "./database.ts";
import type { DatabaseAddress } from "./database-url.ts";

/** Throws what connecting and one question throw. */
export async function tryLogin(address: DatabaseAddress): Promise<void> {
  await using database = new Database(address);
  await database.rows("SELECT 1 AS one");
}
