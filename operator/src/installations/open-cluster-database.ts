/** Opens a database for a SipCluster: as its operator where it is free or this SipCluster's own, else as somebody who looks only. */
import type { Database } from "../adapters/mysql/database.ts";
import {
  clusterOfDatabase,
  takeInstallationFor,
  visitInstallation,
  type ClusterIdentity,
  type Installation,
} from "../adapters/mysql/installation.ts";
import { migrate, type MigrationReport } from "../adapters/mysql/migrate.ts";
import { readMigrations } from "../adapters/mysql/migration-files.ts";
import { existingTables } from "../adapters/mysql/opensips-tables.ts";

export interface OpenedDatabase {
  readonly installation: Installation;
  /** Absent where it was only looked at. */
  readonly report?: MigrationReport;
}

/** `before` is what this process had of this database. Throws what `migrate` throws. */
export async function openClusterDatabase(
  database: Database,
  cluster: ClusterIdentity,
  name: string,
  before: { readonly id: string; readonly epoch: number } | undefined,
): Promise<OpenedDatabase> {
  if (await isAnothers(database, cluster)) return { installation: await visitInstallation(database, name) };
  const report = await migrate(database, await readMigrations());
  const installation = await takeInstallationFor(cluster, database, name, before);
  return installation === undefined
    ? { installation: await visitInstallation(database, name) }
    : { installation, report };
}

/** A database that was never migrated belongs to nobody. */
export async function isAnothers(database: Database, cluster: ClusterIdentity): Promise<boolean> {
  if (!(await existingTables(database)).has("strowger_meta")) return false;
  const holder = await clusterOfDatabase(database);
  return holder !== undefined && !isSame(holder, cluster);
}

const isSame = (one: ClusterIdentity, other: ClusterIdentity): boolean =>
  one.namespace === other.namespace && one.name === other.name && one.uid === other.uid;
