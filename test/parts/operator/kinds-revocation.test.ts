/** What is no longer allowed, or whose domain is gone, serves nobody, paused or not; on a real database. */
import { expect, test } from "vitest";
import type { ObjectKey } from "../../../operator/src/runtime/object.ts";
import {
  mariadb,
  source,
  installations,
  domains,
  users,
  cluster,
  domainSpec,
  userSpec,
  secret,
  reconcile,
} from "./kinds-setup.ts";

/** A served domain with its user alice. */
async function given(): Promise<void> {
  source.put("SipDomain", "voice", "example", domainSpec());
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  await reconcile("SipDomain", "voice/example");
  await reconcile("SipUser", "voice/alice");
}

const bind = (name: string): Promise<unknown> =>
  mariadb.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (7, ?, 'example.com', 'sip:x', 4000000000)",
    [name],
  );

/** The object as it is once somebody has asked for its deletion. */
function deleted(kind: string, key: ObjectKey): void {
  const object = source.get(kind, key)!;
  const metadata = { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  source.objects.set(`${kind} ${key}`, { ...object, metadata });
}

/** Whether the rows of a user and of a domain are on. */
const isOn = async (name: string): Promise<boolean> =>
  (
    await mariadb.query<{ enabled: number }>(
      "SELECT enabled FROM strowger_subscriber WHERE username = ? UNION ALL SELECT enabled FROM strowger_domain WHERE domain = ?",
      [name, name],
    )
  )[0]?.enabled === 1;

const pause = { annotations: { "sip.strowger.dev/paused": "true" } };

test("rule 2: a pause does not keep a domain that its cluster allows no longer, and puts off its return", async () => {
  const allowedDomains = [{ namespaces: { names: ["far"] } }];
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains }));
  const far = { clusterRef: { name: "main", namespace: "voice" }, domain: "far.example" };
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  await reconcile("SipDomain", "far/theirs");
  source.put(
    "SipDomain",
    "far",
    "theirs",
    domainSpec({ ...far, registration: { maxExpiresSeconds: 60 } }),
    pause,
  );
  await reconcile("SipDomain", "far/theirs");
  expect(await isOn("far.example")).toBe(true);
  source.put("SipCluster", "voice", "main", cluster());
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect(await isOn("far.example")).toBe(false);
  expect(await mariadb.query("SELECT max_expires FROM strowger_domain")).toEqual([{ max_expires: null }]);
  source.requests.length = 0;
  await reconcile("SipDomain", "far/theirs");
  expect(source.requests).toEqual([]);
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains }));
  await reconcile("SipDomain", "far/theirs");
  expect(await isOn("far.example")).toBe(false);
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("Reconciled");
  expect(await isOn("far.example")).toBe(true);
});

test("rule 2: a pause does not keep a user whose domain takes its namespace no longer, and reads no Secret", async () => {
  await given();
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  secret("far/secret", "secret of far", "1");
  const spec = { domainRef: { name: "example", namespace: "voice" } };
  source.put("SipUser", "far", "bob", userSpec("bob", spec));
  await reconcile("SipUser", "far/bob");
  await bind("bob");
  source.put("SipUser", "far", "bob", userSpec("bob", { ...spec, maxContacts: 3 }), pause);
  await reconcile("SipUser", "far/bob");
  expect(await isOn("bob")).toBe(true);
  source.put("SipDomain", "voice", "example", domainSpec());
  source.requests.length = 0;
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("NotAllowed");
  expect(source.requests.filter((request) => request.includes("Secret"))).toEqual([]);
  expect(await isOn("bob")).toBe(false);
  expect(await mariadb.query("SELECT * FROM location")).toEqual([]);
  expect(await isOn("alice")).toBe(true);
});

test("rule 2: a domain that is observed and allowed no longer: its users are off until it is again", async () => {
  await installations.of("voice/main");
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  const allowedDomains = [{ namespaces: { names: ["far"] } }];
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains }));
  const observed = { clusterRef: { name: "main", namespace: "voice" }, adoptionPolicy: "Observe" };
  source.put("SipDomain", "far", "example", domainSpec(observed));
  secret("far/secret", "first", "1");
  source.put("SipUser", "far", "alice", userSpec("alice"));
  await reconcile("SipDomain", "far/example");
  expect((await reconcile("SipUser", "far/alice")).reason).toBe("Reconciled");
  source.secrets.delete("far/secret");
  await reconcile("SipUser", "far/alice"); // not ready for a reason of its own
  source.put("SipCluster", "voice", "main", cluster());
  await reconcile("SipDomain", "far/example");
  const told = { kind: "SipDomain", key: "far/example", what: "status" } as const;
  expect(users.dependentsOf(told)).toEqual(["far/alice"]);
  expect((await reconcile("SipUser", "far/alice")).reason).toBe("DomainNotReady");
  expect(await isOn("alice")).toBe(false);
  expect(users.dependentsOf(told)).toEqual([]);
  secret("far/secret", "first", "2");
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains }));
  await reconcile("SipDomain", "far/example");
  expect(users.dependentsOf(told)).toEqual(["far/alice"]);
  expect(await reconcile("SipUser", "far/alice")).toEqual({ reason: "Reconciled" });
  expect(await isOn("alice")).toBe(true);
});

test("rule 6: users of a deleted domain cannot log in at whoever has its name next, and come back with their own", async () => {
  await given();
  await bind("alice");
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, ha1) VALUES ('erin', 'example.com', 'theirs'), ('fay', 'example.com', 'x')",
  );
  await mariadb.query(
    "INSERT INTO strowger_subscriber (username, domain, enabled) VALUES ('fay', 'example.com', 1)",
  );
  source.put(
    "SipUser",
    "voice",
    "erin",
    userSpec("erin", { adoptionPolicy: "Adopt", passwordSecretRef: undefined }),
  );
  source.put("SipUser", "voice", "fay", userSpec("fay"));
  await reconcile("SipUser", "voice/erin");
  expect((await reconcile("SipUser", "voice/fay")).reason).toBe("Conflict");
  deleted("SipDomain", "voice/example");
  await domains.finalize(source.get("SipDomain", "voice/example")!, 0);
  source.remove("SipDomain", "voice", "example");
  source.presences.set("SipDomain voice/example", { is: "unknown", why: "no such kind" });
  expect(await reconcile("SipUser", "voice/alice")).toMatchObject({ requeueAfter: 10_000 });
  expect(await isOn("alice")).toBe(true);
  source.presences.clear();
  source.put("SipUser", "voice", "alice", userSpec("alice"), pause);
  for (const name of ["alice", "erin", "fay"])
    expect(await reconcile("SipUser", `voice/${name}`)).toEqual({ reason: "DomainNotFound" });
  expect([await isOn("alice"), await isOn("erin"), await isOn("fay")]).toEqual([false, false, true]);
  expect(await mariadb.query("SELECT * FROM location")).toEqual([]);
  source.requests.length = 0;
  await reconcile("SipUser", "voice/erin");
  expect(source.requests).toEqual([]);
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  for (const name of ["alice", "erin"]) {
    expect(await reconcile("SipUser", `voice/${name}`)).toEqual({ reason: "Reconciled" });
    expect(await isOn(name)).toBe(true);
  }
});

test("rule 2: a domain that was observed and is another tenant's now: the users that were made in it are off", async () => {
  await installations.of("voice/main");
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  source.put("SipDomain", "voice", "example", domainSpec({ adoptionPolicy: "Observe" }));
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  await reconcile("SipDomain", "voice/example");
  await reconcile("SipUser", "voice/alice");
  source.put("SipDomain", "voice", "taker", domainSpec({ adoptionPolicy: "Adopt" }));
  expect((await reconcile("SipDomain", "voice/taker")).reason).toBe("Reconciled");
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Conflict");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotReady");
  expect(await isOn("alice")).toBe(false);
});

test("rule 6: of a user's rows in two databases those that are still on are turned off", async () => {
  await given();
  await mariadb.query("DROP DATABASE IF EXISTS second");
  await mariadb.query("CREATE DATABASE second CHARACTER SET utf8mb4");
  const { mysql } = cluster();
  source.put("SipCluster", "voice", "second", { mysql: { ...mysql, database: "second" } });
  const domainGoes = async (): Promise<void> => {
    deleted("SipDomain", "voice/example");
    await domains.finalize(source.get("SipDomain", "voice/example")!, 0);
    source.remove("SipDomain", "voice", "example");
    expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotFound");
  };
  const isOnInSecond = async (): Promise<unknown> =>
    (await mariadb.query<{ enabled: number }>("SELECT enabled FROM second.strowger_subscriber"))[0]?.enabled;
  await domainGoes();
  expect(await isOn("alice")).toBe(false);
  source.put("SipDomain", "voice", "example", domainSpec({ clusterRef: { name: "second" } }));
  await reconcile("SipDomain", "voice/example");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
  expect([await isOn("alice"), await isOnInSecond()]).toEqual([false, 1]);
  await domainGoes();
  expect(await isOnInSecond()).toBe(0);
});
