/** Which of several SipClusters and operators has a database, and the rows in it. */
import { expect, test } from "vitest";
import { type DatabaseAddress, parseDatabaseUrl } from "../../../operator/src/adapters/mysql/database-url.ts";
import { Database } from "../../../operator/src/adapters/mysql/database.ts";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import {
  clusterOfDatabase,
  setClusterOfDatabase,
} from "../../../operator/src/adapters/mysql/installation.ts";
import { readLeaderHeartbeat } from "../../../operator/src/adapters/mysql/leader-heartbeat.ts";
import { leaseTable } from "../../../operator/src/adapters/mysql/lease.ts";
import { ClusterInstallations } from "../../../operator/src/installations/cluster-installations.ts";
import { OneInstallation } from "../../../operator/src/installations/one-installation.ts";
import { OwnedRows } from "../../../operator/src/installations/owned-rows.ts";
import { systemClock } from "../../../operator/src/runtime/clock.ts";
import {
  all,
  cluster,
  contested,
  installations,
  mariadb,
  mysql,
  openerOf,
  reports,
  row,
  setInstallations,
  setLeader,
  source,
  takeDatabase,
} from "./installations-setup.ts";
import { MemorySource } from "./memory-source.ts";

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
  setLeader(false);
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
  setInstallations(openerOf("operator-0"));
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
