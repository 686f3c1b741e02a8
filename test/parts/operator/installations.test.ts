import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseDatabaseUrl, type DatabaseAddress } from "../../../operator/src/adapters/mysql/database-url.ts";
import { Database } from "../../../operator/src/adapters/mysql/database.ts";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import {
  clusterOfDatabase,
  setClusterOfDatabase,
  type Installation,
} from "../../../operator/src/adapters/mysql/installation.ts";
import { readLeaderHeartbeat } from "../../../operator/src/adapters/mysql/leader-heartbeat.ts";
import { leaseTable } from "../../../operator/src/adapters/mysql/lease.ts";
import { readMigrations } from "../../../operator/src/adapters/mysql/migration-files.ts";
import { saveOwner } from "../../../operator/src/adapters/mysql/owners.ts";
import { ClusterInstallations } from "../../../operator/src/installations/cluster-installations.ts";
import { OneInstallation } from "../../../operator/src/installations/one-installation.ts";
import { OwnedRows } from "../../../operator/src/installations/owned-rows.ts";
import { systemClock, type Clock } from "../../../operator/src/runtime/clock.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { MemorySource } from "./memory-source.ts";

const all = (await readMigrations()).length;
let mariadb: TestMariadb;
let source: MemorySource;
let installations: ClusterInstallations;
let reports: string[];
let clock: Clock;
/** True if this operator holds the Lease. */
let isLeader: boolean;

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

function openerOf(name: string): ClusterInstallations {
  return new ClusterInstallations(source, {
    name,
    clock: { ...systemClock, now: () => clock.now() },
    onOpen: (cluster, { applied }) => reports.push(`opened ${cluster} ${applied.length}`),
    onBack: (cluster) => reports.push(`back ${cluster}`),
    isLeader: () => isLeader,
    onLost: ({ message }) => reports.push(`lost: ${message}`),
  });
}

const mysql = (more: object = {}) => ({
  mysql: {
    hosts: ["127.0.0.1"],
    port: mariadb.port,
    database: "strowger",
    credentialsSecretRef: { name: "nodes" },
    adminCredentialsSecretRef: { name: "admin" },
    ...more,
  },
});

const reasonOf = async (opening: Promise<unknown>): Promise<string | undefined> => {
  const error = await opening.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error === undefined ? "none" : failureOf(error)?.reason;
};

const cluster = { namespace: "ns", name: "c" };

/** Takes a free database, as the SipCluster controller does. */
const takeDatabase = (installation: Installation | undefined, uid: string): Promise<void> =>
  installation!.write((change) => setClusterOfDatabase(change, { ...cluster, uid }));

test("a database is opened and migrated once; a second call needs no request", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const [one, two] = await Promise.all([installations.of("ns/c"), installations.of("ns/c")]);
  expect(one).toBe(two);
  expect(reports).toEqual([`opened ns/c ${all}`]);
  const requests = source.requests.length;
  expect(await installations.of("ns/c")).toBe(one);
  expect(source.requests).toHaveLength(requests);
  expect(installations.open()).toEqual([one]);
  expect(installations.unreachable()).toEqual([]);
});

test("a SipCluster that does not exist or has no spec.mysql has no database; the database of a deleted one is closed and released", async () => {
  expect(await installations.of("ns/none")).toBeUndefined();
  source.put("SipCluster", "ns", "c", {});
  expect(await installations.of("ns/c")).toBeUndefined();
  source.put("SipCluster", "ns", "c", mysql());
  await installations.of("ns/c");
  const beatAt = async () =>
    Number((await mariadb.query<{ at: number }>("SELECT leader_beat_at AS at FROM strowger_meta"))[0]?.at);
  expect(await beatAt()).toBeGreaterThan(0);
  source.remove("SipCluster", "ns", "c");
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
  expect(installations.open()).toEqual([]);
  await expect.poll(beatAt).toBe(0);
});

/** Another Kubernetes cluster whose SipCluster names the same database. */
function installationsOfAnother() {
  const theirs = new MemorySource();
  theirs.secrets.set("far/admin", { data: { username: "admin", password: "first" } });
  theirs.put("SipCluster", "far", "theirs", mysql(), { uid: "far-uid" });
  const opener = new ClusterInstallations(theirs, {
    name: "operator-far",
    clock: systemClock,
    isLeader: () => true,
    onOpen: () => undefined,
    onBack: () => undefined,
    onLost: () => undefined,
  });
  return {
    opener,
    database: async () => (await opener.of("far/theirs"))!,
    [Symbol.asyncDispose]: () => opener.close(),
  };
}

test.each([
  ["an unknown host", { hosts: ["no-such-host.invalid"] }, "DatabaseHostUnknown"],
  ["a closed port", { port: 1 }, "DatabaseUnavailable"],
  ["a missing database", { database: "missing" }, "DatabaseNotFound"],
  ["a missing Secret", { adminCredentialsSecretRef: { name: "none" } }, "SecretNotFound"],
  ["a Secret without a password", { adminCredentialsSecretRef: { name: "half" } }, "SecretKeyNotFound"],
  ["a wrong password", { adminCredentialsSecretRef: { name: "wrong" } }, "DatabaseAccessDenied"],
  ["a server without TLS, which the spec requires", { tls: {} }, "DatabaseTlsFailed"],
])("%s: the condition has the reason, without a password", async (_what, more, reason) => {
  source.secrets.set("ns/half", { data: { username: "admin" } });
  source.secrets.set("ns/wrong", { data: { username: "admin", password: "geheim" } });
  source.put("SipCluster", "ns", "c", mysql(more));
  const error: unknown = await installations.of("ns/c").catch((cause: unknown) => cause);
  const failure = failureOf(error);
  expect(failure?.reason).toBe(reason);
  expect(failure?.message).not.toMatch(/geheim|first/);
  expect(installations.unreachable()).toEqual(["ns/c"]);
  const requests = source.requests.length;
  expect(failureOf(await installations.of("ns/c").catch((cause: unknown) => cause))).toEqual(failure);
  expect(source.requests).toHaveLength(requests); // no second attempt at once
});

test("a corrected spec is tried at once", async () => {
  source.put("SipCluster", "ns", "c", mysql({ database: "missing" }));
  expect(await reasonOf(installations.of("ns/c"))).toBe("DatabaseNotFound");
  source.put("SipCluster", "ns", "c", mysql());
  expect(await reasonOf(installations.of("ns/c"))).toBe("none");
});

test("of several hosts the first one that answers and accepts writes is used", async () => {
  // Both names are this machine; only one address has a listener.
  source.put("SipCluster", "ns", "c", mysql({ hosts: ["127.0.0.2", "127.0.0.1"] }));
  expect(await reasonOf(installations.of("ns/c"))).toBe("none");
  await mariadb.query("SET GLOBAL read_only = 1");
  try {
    source.put("SipCluster", "ns", "d", mysql({ hosts: ["127.0.0.1", "127.0.0.2"] }));
    expect(await reasonOf(installations.of("ns/d"))).toBe("DatabaseUnavailable"); // the other host does not answer
  } finally {
    await mariadb.query("SET GLOBAL read_only = 0");
  }
});

test("after a password rotation new connections use the Secret's new password, with the same epoch", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const before = await installations.of("ns/c");
  await mariadb.query("ALTER USER admin@'%' IDENTIFIED BY 'second'");
  source.secrets.set("ns/admin", { data: { username: "admin", password: "second" } });
  installations.changed({ kind: "Secret", key: "ns/admin", what: "object" });
  await expect.poll(() => installations.of("ns/c")).not.toBe(before);
  const after = await installations.of("ns/c");
  expect(after?.epoch).toBe(before?.epoch);
  expect(await clusterOfDatabase(after!.database)).toMatchObject(cluster);
});

test("a changed Secret does not open a database that is not in use, so a standby does not take one from the leader", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const leading = await installations.of("ns/c");
  const standby = openerOf("operator-1");
  standby.changed({ kind: "Secret", key: "ns/admin", what: "object" });
  expect(source.requests.filter((request) => request.includes("ns/admin"))).toHaveLength(1);
  await standby.sendHeartbeats();
  expect(standby.open()).toEqual([]);
  await leading!.write(() => Promise.resolve());
  await standby.close();
});

test("the end of an outage is reported without a call", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  await installations.of("ns/c");
  await mariadb.crash();
  await installations.sendHeartbeats();
  expect(installations.unreachable()).toEqual(["ns/c"]);
  await mariadb.restart();
  await expect
    .poll(async () => {
      await installations.sendHeartbeats();
      return reports;
    })
    .toContain("back ns/c");
  expect(installations.unreachable()).toEqual([]);
});

test("an emptied database is migrated again without a restart", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const before = await installations.of("ns/c");
  await mariadb.query("DROP DATABASE strowger");
  await mariadb.query("CREATE DATABASE strowger CHARACTER SET utf8mb4");
  await mariadb.query("USE strowger");
  await installations.sendHeartbeats();
  expect(reports).toEqual([`opened ns/c ${all}`, `opened ns/c ${all}`, "back ns/c"]);
  const after = await installations.of("ns/c");
  expect(after?.id).not.toBe(before?.id);
  await after!.write(() => Promise.resolve());
});

test("a dropped table is created again within one heartbeat, and waiting objects are notified", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const before = await installations.of("ns/c");
  await installations.sendHeartbeats();
  expect(reports).toEqual([`opened ns/c ${all}`]);
  await mariadb.query("DROP TABLE subscriber");
  const failure = await before!.database.rows("SELECT 1 FROM subscriber").catch(failureOf);
  expect(failure).toMatchObject({ reason: "TablesMissing" });
  await installations.sendHeartbeats();
  expect(reports.slice(1)).toEqual([`opened ns/c ${all}`, "back ns/c"]);
  const after = await installations.of("ns/c");
  expect(after?.id).toBe(before?.id);
  expect(await after!.database.rows("SELECT 1 FROM subscriber")).toEqual([]);
});

test.each([
  ["rows were all removed", "TRUNCATE strowger_meta"],
  [
    "tables were created again, as by the CLI",
    "UPDATE strowger_meta SET installation_id = 'fresh', epoch = 0, cluster_name = ''",
  ],
  [
    "content is that of another database, with the same epoch",
    "UPDATE strowger_meta SET installation_id = 'fresh', cluster_name = ''",
  ],
  ["state is an earlier one of itself", "UPDATE strowger_meta SET epoch = epoch - 1"],
])("a database whose %s is opened again at once, without a report of another leader", async (_what, sql) => {
  source.put("SipCluster", "ns", "c", mysql());
  const before = await installations.of("ns/c");
  await mariadb.query(sql);
  await expect(before!.write(() => Promise.resolve())).rejects.toThrow();
  await installations.sendHeartbeats();
  expect(reports.at(-1)).toBe("back ns/c");
  const after = await installations.of("ns/c");
  expect(after).not.toBe(before);
  await after!.write(() => Promise.resolve());
});

test("a wrong password in a Secret is reported at once while the old connection still works; a correct one ends the report", async () => {
  source.secrets.set("ns/nodes", { data: { username: "admin", password: "first" } });
  source.put("SipCluster", "ns", "c", mysql());
  const before = await installations.of("ns/c");
  const reasons = (): unknown => {
    const { operator, nodes } = installations.loginProblems("ns/c");
    return [operator?.reason, nodes?.reason];
  };
  const secretIs = (name: string, password: string): void => {
    source.secrets.set(`ns/${name}`, { data: { username: "admin", password } });
    installations.changed({ kind: "Secret", key: `ns/${name}`, what: "object" });
  };
  secretIs("admin", "wrong");
  await expect.poll(reasons).toEqual(["DatabaseAccessDenied", undefined]);
  expect(await installations.of("ns/c")).toBe(before);
  await before!.write(() => Promise.resolve());
  expect(installations.loginProblems("ns/c").operator?.message).not.toContain("wrong");
  secretIs("nodes", "wrong");
  await expect.poll(reasons).toEqual(["DatabaseAccessDenied", "DatabaseAccessDenied"]);
  secretIs("admin", "first");
  await expect.poll(reasons).toEqual([undefined, "DatabaseAccessDenied"]);
  secretIs("nodes", "first");
  await expect.poll(reasons).toEqual([undefined, undefined]);
  source.secrets.delete("ns/nodes");
  installations.changed({ kind: "Secret", key: "ns/nodes", what: "object" });
  await expect.poll(reasons).toEqual([undefined, "SecretNotFound"]);
});

test("a password that changed only in MySQL is noticed within a minute", async () => {
  source.secrets.set("ns/nodes", { data: { username: "admin", password: "first" } });
  source.put("SipCluster", "ns", "c", mysql());
  let now = Date.now();
  clock = { ...systemClock, now: () => now };
  await installations.of("ns/c");
  await installations.sendHeartbeats();
  await mariadb.query("ALTER USER admin@'%' IDENTIFIED BY 'second'");
  now += 60_000;
  await installations.sendHeartbeats();
  await expect.poll(() => installations.loginProblems("ns/c").operator?.reason).toBe("DatabaseAccessDenied");
});

test("a SipCluster that is deleted while its database is being opened leaves no connection open", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const opening = installations.of("ns/c");
  source.remove("SipCluster", "ns", "c");
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
  expect(await opening).toBeUndefined();
  expect(installations.open()).toEqual([]);
});

test("a database that is taken by a SipCluster during its deletion is released again", async () => {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  const opening = installations.of("ns/c");
  source.remove("SipCluster", "ns", "c");
  await opening;
  source.put("SipCluster", "ns", "next", mysql(), { uid: "u2" });
  expect((await installations.of("ns/next"))?.epoch).toBeGreaterThan(0);
});

test("a SipCluster that is deleted before it has a finalizer releases its database", async () => {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  await installations.of("ns/c");
  source.remove("SipCluster", "ns", "c");
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
  source.put("SipCluster", "ns", "next", mysql(), { uid: "u2" });
  await expect.poll(async () => (await installations.of("ns/next"))?.epoch).toBeGreaterThan(0);
});

test("a database of another SipCluster is only read, not migrated and not taken, until an explicit write", async () => {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  const ours = await installations.of("ns/c");
  await takeDatabase(ours, "u1");
  await using other = installationsOfAnother();
  const looked = await other.database();
  expect(looked.epoch).toBeUndefined();
  expect(other.opener.open()).toEqual([]);
  expect(await clusterOfDatabase(looked.database)).toEqual({ ...cluster, uid: "u1" });
  expect(await readLeaderHeartbeat(looked.database)).toMatchObject({ leader: "operator-0" });
  await takeDatabase(ours, "u1"); // this operator may still write
  await looked.write((change) =>
    setClusterOfDatabase(change, { namespace: "far", name: "theirs", uid: "far-uid" }),
  );
  await expect(takeDatabase(ours, "u1")).rejects.toThrow(/another operator has taken/);
  expect((await other.database()).epoch).toBeGreaterThan(0);
  expect(other.opener.open()).toHaveLength(1);
  await installations.sendHeartbeats(); // the database of another SipCluster: no reason to end
  expect(reports).toEqual([`opened ns/c ${all}`, "back ns/c"]);
  expect((await installations.of("ns/c"))?.epoch).toBeUndefined();
});

test("of two SipClusters with the same free database one takes it, and the other only reads", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  source.put("SipCluster", "ns", "d", mysql());
  const both = await Promise.all([installations.of("ns/c"), installations.of("ns/d")]);
  expect(both.filter((one) => one?.epoch !== undefined)).toHaveLength(1);
  expect(installations.open()).toHaveLength(1);
  await installations.sendHeartbeats();
  expect(reports).toHaveLength(1);
});

test("a suspended leader notices that another one of the same SipCluster took over", async () => {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  await takeDatabase(await installations.of("ns/c"), "u1");
  isLeader = false;
  const next = openerOf("operator-1");
  await next.of("ns/c");
  await installations.sendHeartbeats();
  expect(reports.at(-1)).toBe("lost: another operator has taken this database over");
  await next.close();
});

test("a SipCluster with the same name and a new uid only reads, and its heartbeat stops: taking the database is a separate decision", async () => {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  await takeDatabase(await installations.of("ns/c"), "u1");
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u2" });
  const again = await installations.of("ns/c");
  expect(again?.epoch).toBeUndefined();
  await expect
    .poll(async () => (await readLeaderHeartbeat(again!.database)).age)
    .toBe(Number.POSITIVE_INFINITY);
  await takeDatabase(again, "u2");
  expect((await installations.of("ns/c"))?.epoch).toBeGreaterThan(0);
});

test("a SipCluster with the same name and a new uid does not migrate before it has taken the database", async () => {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  await installations.of("ns/c");
  await mariadb.query("DROP TABLE strowger_lease"); // a migration would create it
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u2" });
  const again = await installations.of("ns/c");
  expect(again?.epoch).toBeUndefined();
  expect(await mariadb.query("SHOW TABLES LIKE 'strowger_lease'")).toEqual([]);
  await takeDatabase(again, "u2");
  expect((await installations.of("ns/c"))?.epoch).toBeGreaterThan(0);
  expect(await mariadb.query("SHOW TABLES LIKE 'strowger_lease'")).toHaveLength(1);
});

test("one database for all SipClusters: the end of an outage is reported once, and a heartbeat without an outage reports nothing", async () => {
  const one = new OneInstallation(new Database(parseDatabaseUrl(mariadb.url) as DatabaseAddress), {
    name: "operator-0",
    onOpen: () => reports.push("opened"),
    onBack: () => reports.push("back"),
    onLost: ({ message }) => reports.push(`lost: ${message}`),
  });
  await one.opened();
  await one.sendHeartbeats();
  expect(reports).toEqual(["opened"]);
  await mariadb.crash();
  await one.sendHeartbeats();
  await mariadb.restart();
  await expect
    .poll(async () => {
      await one.sendHeartbeats();
      return reports;
    })
    .toEqual(["opened", "back"]);
  await one.sendHeartbeats();
  expect(reports).toEqual(["opened", "back"]);
  await one.close();
});

const epoch = async (): Promise<number> => {
  const [row] = await mariadb.query<{ epoch: number }>("SELECT epoch FROM strowger_meta");
  return row!.epoch;
};

const failure = async () => failureOf(await installations.of("ns/c").catch((cause: unknown) => cause));

/** Simulates that the other operator has written no heartbeat for this time, and that this one has waited as long. */
async function silent(ms: number): Promise<void> {
  await mariadb.query(`UPDATE strowger_meta SET leader_beat_at = leader_beat_at - ${ms}`);
  const before = clock;
  clock = { ...systemClock, now: () => before.now() + ms };
}

const annotate = (value: string | undefined): void => {
  const annotations = value === undefined ? {} : { "sip.strowger.dev/take-over": value };
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1", annotations });
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
};

/** A SipCluster whose epoch another program raised, and a second SipCluster with its own database. */
async function contested(leader = "operator-far"): Promise<Installation> {
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

test("if another program raises the epoch of one database while this operator holds the Lease, only that SipCluster stops, and the program's name is reported", async () => {
  await contested();
  expect(reports.filter((line) => line.startsWith("lost"))).toEqual([]);
  expect(await failure()).toMatchObject({
    reason: "DatabaseTaken",
    message: expect.stringContaining('another operator ("operator-far") writes to this database') as string,
  });
  expect(installations.unreachable()).toEqual(["ns/c"]);
  await (await installations.of("other/d"))!.write(() => Promise.resolve());
});

test("a contested database is taken again after a minute without a heartbeat of the other operator; the two do not alternate", async () => {
  await contested();
  const theirs = await epoch();
  annotate(undefined); // a change of the object has no effect
  for (let round = 0; round < 3; round += 1) await installations.sendHeartbeats();
  clock = { ...systemClock, now: () => Date.now() + 61_000 };
  await mariadb.query("UPDATE strowger_meta SET leader_beat_at = UNIX_TIMESTAMP(NOW(3)) * 1000"); // it is alive
  await installations.sendHeartbeats();
  expect((await failure())?.reason).toBe("DatabaseTaken");
  expect(await epoch()).toBe(theirs);
  await silent(61_000);
  await installations.sendHeartbeats();
  expect(reports.at(-1)).toBe("back ns/c");
  await (await installations.of("ns/c"))!.write(() => Promise.resolve());
  expect(await epoch()).toBe(theirs + 1);
});

test("a leader that releases the database after each raise of the epoch does not shorten that minute", async () => {
  await contested();
  const theirs = await epoch();
  await mariadb.query("UPDATE strowger_meta SET leader_beat_at = 0");
  await installations.sendHeartbeats();
  expect((await failure())?.reason).toBe("DatabaseTaken");
  expect(await epoch()).toBe(theirs);
});

test("the annotation take-over takes a contested database at once, and only once for each value", async () => {
  const { id } = await contested();
  const theirs = await epoch();
  annotate(id);
  await (await installations.of("ns/c"))!.write(() => Promise.resolve());
  expect(await epoch()).toBe(theirs + 1);
  await mariadb.query("UPDATE strowger_meta SET epoch = epoch + 1");
  await installations.sendHeartbeats();
  annotate(id); // it is still set
  await installations.sendHeartbeats();
  expect((await failure())?.reason).toBe("DatabaseTaken");
  expect(await epoch()).toBe(theirs + 2);
  annotate(undefined);
  annotate(id);
  expect((await installations.of("ns/c"))?.epoch).toBe(theirs + 3);
});

test("a SipCluster whose database is contested can switch to another database at once", async () => {
  await contested();
  await mariadb.query("CREATE DATABASE IF NOT EXISTS third CHARACTER SET utf8mb4");
  source.put("SipCluster", "ns", "c", mysql({ database: "third" }), { uid: "u1" });
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
  await (await installations.of("ns/c"))!.write(() => Promise.resolve());
});

/** Installations that do not wait for a database that is being opened, and a database that another operator is migrating. */
async function openWithoutWaiting(): Promise<ClusterInstallations> {
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1" });
  await mariadb.query(leaseTable);
  await mariadb.query("INSERT INTO strowger_lease VALUES ('migrate', 'elsewhere', 1 << 60)");
  const opener = new ClusterInstallations(source, {
    ...{ name: "operator-0", isLeader: () => true, onLost: () => undefined, onOpen: () => undefined },
    clock: { ...systemClock, after: (_, run) => systemClock.after(0, run) },
    onBack: (cluster) => reports.push(`back ${cluster}`),
  });
  expect(failureOf(await opener.of("ns/c").catch((cause: unknown) => cause))).toMatchObject({
    reason: "DatabaseUnavailable",
    message: expect.stringContaining("not open within 5 s") as string,
  });
  return opener;
}

test("a call for a database that another operator migrates returns at once, and the caller is notified when it is open", async () => {
  const waiting = await openWithoutWaiting();
  await mariadb.query("DELETE FROM strowger_lease");
  await expect.poll(() => reports).toEqual(["back ns/c"]);
  await (await waiting.of("ns/c"))!.write(() => Promise.resolve());
  await waiting.close();
});

test("a database that another operator migrates does not delay other heartbeats", async () => {
  await mariadb.query("CREATE DATABASE second CHARACTER SET utf8mb4");
  source.secrets.set("other/admin", { data: { username: "admin", password: "first" } });
  source.put("SipCluster", "other", "d", mysql({ database: "second" }), { uid: "u2" });
  const waiting = await openWithoutWaiting();
  await expect.poll(() => waiting.of("other/d").catch(() => undefined)).toBeDefined();
  const { database } = (await waiting.of("other/d"))!;
  for (let round = 0; round < 2; round += 1) {
    await database.run("UPDATE strowger_meta SET leader_beat_at = 0");
    // It does not end. A heartbeat is skipped while the one before still checks for lost tables, so one call is not enough.
    const age = async () => (void waiting.sendHeartbeats(), (await readLeaderHeartbeat(database)).age);
    await expect.poll(age).toBeLessThan(10_000);
  }
  await mariadb.query("DELETE FROM strowger_lease");
  await expect.poll(() => reports.filter((line) => line === "back ns/c")).toHaveLength(1);
  await waiting.close();
});

const row = (namespace: string, name: string, uid: string, installation: Installation): Promise<void> =>
  installation.write((change) =>
    saveOwner(change, {
      reference: { kind: "SipUser", namespace, name },
      ...{ uid, generation: 1, deletionPolicy: "Delete" },
      fields: { spec: {} },
    }),
  );

test("owned rows in a database that is not open yet are unknown, and the result is marked as partial", async () => {
  source.put("SipCluster", "ns", "c", mysql());
  const rows = new OwnedRows("SipUser", installations, source, () => Promise.resolve());
  expect(await rows.keys()).toEqual({ keys: [], isComplete: false, failures: [] });
  await installations.of("ns/c");
  expect(await rows.keys()).toEqual({ keys: [], isComplete: true, failures: [] });
});

test("owned rows of other databases are listed and deleted while one database is unavailable or damaged, and the result is marked as partial", async () => {
  await contested();
  await installations.close();
  installations = openerOf("operator-0");
  const [ours, theirs] = [(await installations.of("ns/c"))!, (await installations.of("other/d"))!];
  await row("other", "bob", "bob-uid", theirs);
  const removed: string[] = [];
  const rows = new OwnedRows("SipUser", installations, source, ({ reference }) => {
    removed.push(reference.name);
    return Promise.resolve();
  });
  expect(await rows.keys()).toEqual({ keys: ["other/bob"], isComplete: true, failures: [] });
  await mariadb.query("RENAME TABLE strowger_owner TO hidden");
  const known = await rows.keys();
  expect(known).toMatchObject({ keys: ["other/bob"], isComplete: false });
  expect(known.failures).toHaveLength(1);
  await rows.remove("other/bob");
  const finalizers = ["sip.strowger.dev/rows"];
  const bob = source.put("SipUser", "other", "bob", {}, { uid: "bob-uid", finalizers });
  expect(await rows.finalize(bob, "other/d", 0)).toEqual({ isDone: true });
  expect(removed).toEqual(["bob", "bob"]);
  await expect(rows.remove("ns/alice")).rejects.toThrow(/strowger_owner/); // its owners are unknown
  expect(ours.epoch).toBeGreaterThan(0);
});
