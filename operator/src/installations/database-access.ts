/** All requests that a `ClusterDatabase` sends to its database, behind an interface so that a unit test can answer them. */
import { Database } from "../adapters/mysql/database.ts";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import {
  clusterOfDatabase,
  isAnotherDatabase,
  type ClusterIdentity,
} from "../adapters/mysql/installation.ts";
import {
  writeLeaderHeartbeat,
  readLeaderHeartbeat,
  resign,
  type LeaderHeartbeat,
  type Leadership,
} from "../adapters/mysql/leader-heartbeat.ts";
import { areTablesLost } from "../adapters/mysql/lost-tables.ts";
import type { Clock } from "../runtime/clock.ts";
import { belongsToAnother, openClusterDatabase, type OpenedDatabase } from "./open-cluster-database.ts";

export interface DatabaseAccess {
  /** The last statement was not answered. */
  isUnreachable(): boolean;
  /** `before` is the leadership that this process had in this database. */
  open(cluster: ClusterIdentity, before: Leadership | undefined): Promise<OpenedDatabase>;
  /** Whether it is still led under that epoch. */
  writeHeartbeat(leadership: Leadership): Promise<boolean>;
  /** The leader's sign of life is withdrawn, so that another one need not wait. */
  resign(leadership: Leadership): Promise<void>;
  readHeartbeat(): Promise<LeaderHeartbeat>;
  areTablesLost(): Promise<boolean>;
  isAnotherDatabase(leadership: Leadership): Promise<boolean>;
  belongsToAnother(cluster: ClusterIdentity): Promise<boolean>;
  /** Undefined: no SipCluster has it. */
  cluster(): Promise<ClusterIdentity | undefined>;
  close(): Promise<void>;
}

/** Connects with the first request. `name` identifies this process to people who look into `strowger_meta`. */
export function connectToDatabase(address: DatabaseAddress, name: string, clock: Clock): DatabaseAccess {
  const database = new Database(address, { now: () => clock.now() });
  return {
    isUnreachable: () => database.outage !== undefined,
    open: (cluster, before) => openClusterDatabase(database, cluster, name, before),
    writeHeartbeat: (leadership) => writeLeaderHeartbeat(database, leadership),
    resign: (leadership) => resign(database, leadership),
    readHeartbeat: () => readLeaderHeartbeat(database),
    areTablesLost: () => areTablesLost(database),
    isAnotherDatabase: (leadership) => isAnotherDatabase(database, leadership),
    belongsToAnother: (cluster) => belongsToAnother(database, cluster),
    cluster: () => clusterOfDatabase(database),
    close: () => database.close(),
  };
}
