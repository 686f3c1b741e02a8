/** Databases are opened and closed. The other installations-*.test.ts have outages, contested and shared databases. */
import { expect, test } from "vitest";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import {
  all,
  installations,
  mariadb,
  mysql,
  openerOf,
  reasonOf,
  reports,
  source,
} from "./installations-setup.ts";

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
