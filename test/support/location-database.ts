/** A private MariaDB with Strowger's tables, and a node's connections to it. */
import { Database as OperatorDatabase } from "../../operator/src/adapters/mysql/database.ts";
import { parseDatabaseUrl } from "../../operator/src/adapters/mysql/database-url.ts";
import { migrate } from "../../operator/src/adapters/mysql/migrate.ts";
import { readMigrations } from "../../operator/src/adapters/mysql/migration-files.ts";
import { Database } from "../../sip-node/src/adapters/mysql/database.ts";
import { type MariadbOptions, startMariadb, type TestMariadb } from "./mariadb.ts";

export async function startMigrated(options: MariadbOptions = {}): Promise<TestMariadb> {
  const server = await startMariadb(options);
  const address = parseDatabaseUrl(server.url);
  if ("problem" in address) throw new Error(address.problem);
  await using database = new OperatorDatabase(address);
  await migrate(database, await readMigrations());
  return server;
}

/** Default `hosts`: this server only. */
export const databaseOf = (
  server: TestMariadb,
  hosts = [{ host: "127.0.0.1", port: server.port }],
): Database =>
  new Database(
    {
      hosts,
      user: "root",
      password: "",
      database: "strowger",
      connections: 4,
      connectTimeout: 1_000,
      queryTimeout: 2_000,
      tls: undefined,
    },
    () => {},
  );
