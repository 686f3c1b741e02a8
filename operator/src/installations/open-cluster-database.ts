/** Opens a database for a SipCluster: as its operator where the database is free or belongs to this SipCluster, otherwise as an observer. */
import type { Database } from "../adapters/mysql/database.ts";
import {
  clusterOfDatabase,
  takeInstallationFor,
  observeInstallation,
  type ClusterIdentity,
  type Installation,
} from "../adapters/mysql/installation.ts";
import type { Leadership } from "../adapters/mysql/leader-heartbeat.ts";
import { migrate, type MigrationReport } from "../adapters/mysql/migrate.ts";
import { readMigrations } from "../adapters/mysql/migration-files.ts";
import { existingTables } from "../adapters/mysql/opensips-tables.ts";

export interface OpenedDatabase {
  readonly installation: Installation;
  /** Absent for an observer. */
  readonly report?: MigrationReport;
}

/** `before` is the leadership that this process had. `name` is that of this process. Throws what `migrate` throws. */
export async function openClusterDatabase(
  database: Database,
  cluster: ClusterIdentity,
  name: string,
  before: Leadership | undefined,
): Promise<OpenedDatabase> {
  if (await belongsToAnother(database, cluster))
    return { installation: await observeInstallation(database, name) };
  const report = await migrate(database, await readMigrations());
  const installation = await takeInstallationFor(cluster, database, name, before);
  return installation === undefined
    ? { installation: await observeInstallation(database, name) }
    : { installation, report };
}

/** A database that was never migrated belongs to no SipCluster. */
export async function belongsToAnother(database: Database, cluster: ClusterIdentity): Promise<boolean> {
  if (!(await existingTables(database)).has("strowger_meta")) return false;
  const holder = await clusterOfDatabase(database);
  return holder !== undefined && !isSame(holder, cluster);
}

const isSame = (one: ClusterIdentity, other: ClusterIdentity): boolean =>
  one.namespace === other.namespace && one.name === other.name && one.uid === other.uid;
