/** Databases that fail, are emptied or are damaged, and logins that change. */
import { expect, test } from "vitest";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import { clusterOfDatabase } from "../../../operator/src/adapters/mysql/installation.ts";
import { systemClock } from "../../../operator/src/runtime/clock.ts";
import {
  all,
  cluster,
  installations,
  mariadb,
  mysql,
  reasonOf,
  reports,
  setClock,
  source,
} from "./installations-setup.ts";

test("a corrected spec is tried at once", async () => {
  source.put("SipCluster", "ns", "c", mysql({ database: "missing" }));
  expect(await reasonOf(installations.of("ns/c"))).toBe("DatabaseNotFound");
  source.put("SipCluster", "ns", "c", mysql());
  expect(await reasonOf(installations.of("ns/c"))).toBe("none");
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
  setClock({ ...systemClock, now: () => now });
  await installations.of("ns/c");
  await installations.sendHeartbeats();
  await mariadb.query("ALTER USER admin@'%' IDENTIFIED BY 'second'");
  now += 60_000;
  await installations.sendHeartbeats();
  await expect.poll(() => installations.loginProblems("ns/c").operator?.reason).toBe("DatabaseAccessDenied");
});
