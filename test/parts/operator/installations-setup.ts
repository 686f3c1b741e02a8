/** A real database, and the installations of an operator on it; each test of the importing file gets new ones. */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import {
  type Installation,
  setClusterOfDatabase,
} from "../../../operator/src/adapters/mysql/installation.ts";
import { readMigrations } from "../../../operator/src/adapters/mysql/migration-files.ts";
import { saveOwner } from "../../../operator/src/adapters/mysql/owners.ts";
import { ClusterInstallations } from "../../../operator/src/installations/cluster-installations.ts";
import { type Clock, systemClock } from "../../../operator/src/runtime/clock.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { MemorySource } from "./memory-source.ts";

export const all = (await readMigrations()).length;

export let mariadb: TestMariadb;

export let source: MemorySource;

export let installations: ClusterInstallations;

export let reports: string[];

export let clock: Clock;

/** True if this operator holds the Lease. */
export let isLeader: boolean;

beforeAll(async () => {
  mariadb = await startMariadb();
  await mariadb.query("CREATE USER admin@'%' IDENTIFIED BY 'first'");
  await mariadb.query("GRANT ALL ON *.* TO admin@'%'");
});

afterAll(() => mariadb[Symbol.asyncDispose]());

beforeEach(async () => {
  await mariadb.query("DROP DATABASE strowger");
  await mariadb.query("CREATE DATABASE strowger CHARACTER SET utf8mb4");
  await mariadb.query("USE strowger");
  for (const other of ["second", "third"]) await mariadb.query(`DROP DATABASE IF EXISTS ${other}`);
  await mariadb.query("ALTER USER admin@'%' IDENTIFIED BY 'first'");
  source = new MemorySource();
  source.secrets.set("ns/admin", { data: { username: "admin", password: "first" } });
  reports = [];
  clock = systemClock;
  isLeader = true;
  installations = openerOf("operator-0");
});

afterEach(() => installations.close());

export function openerOf(name: string): ClusterInstallations {
  return new ClusterInstallations(source, {
    name,
    clock: { ...systemClock, now: () => clock.now() },
    onOpen: (cluster, { applied }) => reports.push(`opened ${cluster} ${applied.length}`),
    onBack: (cluster) => reports.push(`back ${cluster}`),
    isLeader: () => isLeader,
    onLost: ({ message }) => reports.push(`lost: ${message}`),
  });
}

export const mysql = (more: object = {}) => ({
  mysql: {
    hosts: ["127.0.0.1"],
    port: mariadb.port,
    database: "strowger",
    credentialsSecretRef: { name: "nodes" },
    adminCredentialsSecretRef: { name: "admin" },
    ...more,
  },
});

export const reasonOf = async (opening: Promise<unknown>): Promise<string | undefined> => {
  const error = await opening.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error === undefined ? "none" : failureOf(error)?.reason;
};

export const cluster = { namespace: "ns", name: "c" };

/** Takes a free database, as the SipCluster controller does. */
export const takeDatabase = (installation: Installation | undefined, uid: string): Promise<void> =>
  installation!.write((change) => setClusterOfDatabase(change, { ...cluster, uid }));

/** For the rest of the test. */
export const setClock = (next: Clock): void => void (clock = next);

export const setLeader = (is: boolean): void => void (isLeader = is);

/** An operator that starts instead of the first one. */
export const setInstallations = (next: ClusterInstallations): void => void (installations = next);

export const failure = async () => failureOf(await installations.of("ns/c").catch((cause: unknown) => cause));

/** A SipCluster whose epoch another program raised, and a second SipCluster with its own database. */
export async function contested(leader = "operator-far"): Promise<Installation> {
  await mariadb.query("CREATE DATABASE IF NOT EXISTS second CHARACTER SET utf8mb4");
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  source.put("SipCluster", "other", "d", mysql({ database: "second" }), { uid: "u2" });
  source.secrets.set("other/admin", { data: { username: "admin", password: "first" } });
  const installation = await installations.of("ns/c");
  await takeDatabase(installation, "u1");
  await installations.of("other/d");
  await mariadb.query("UPDATE strowger_meta SET epoch = epoch + 1, leader = ?", [leader]);
  await installations.sendHeartbeats();
  return installation!;
}

export const row = (
  namespace: string,
  name: string,
  uid: string,
  installation: Installation,
): Promise<void> =>
  installation.write((change) =>
    saveOwner(change, {
      reference: { kind: "SipUser", namespace, name },
      ...{ uid, generation: 1, deletionPolicy: "Delete" },
      fields: { spec: {} },
    }),
  );
