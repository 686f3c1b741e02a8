/** Domains and users that are no longer allowed, and users without a domain, are not served, even if they are paused; on a real database. */
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
async function createDomainAndUser(): Promise<void> {
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

/** Marks the object for deletion. */
function deleted(kind: string, key: ObjectKey): void {
  const object = source.get(kind, key)!;
  const metadata = { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  source.objects.set(`${kind} ${key}`, { ...object, metadata });
}

/** True if the row of the user or the domain with this name is enabled. */
const isEnabled = async (name: string): Promise<boolean> =>
  (
    await mariadb.query<{ enabled: number }>(
      "SELECT enabled FROM strowger_subscriber WHERE username = ? UNION ALL SELECT enabled FROM strowger_domain WHERE domain = ?",
      [name, name],
    )
  )[0]?.enabled === 1;

const pause = { annotations: { "sip.strowger.dev/paused": "true" } };

test("rule 2: a paused domain is disabled if its cluster no longer allows it, and not enabled again before the pause ends", async () => {
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
  expect(await isEnabled("far.example")).toBe(true);
  source.put("SipCluster", "voice", "main", cluster());
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect(await isEnabled("far.example")).toBe(false);
  expect(await mariadb.query("SELECT max_expires FROM strowger_domain")).toEqual([{ max_expires: null }]);
  source.requests.length = 0;
  await reconcile("SipDomain", "far/theirs");
  expect(source.requests).toEqual([]);
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains }));
  await reconcile("SipDomain", "far/theirs");
  expect(await isEnabled("far.example")).toBe(false);
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("Reconciled");
  expect(await isEnabled("far.example")).toBe(true);
});

test("rule 2: a paused user is disabled if its domain no longer allows its namespace, without a read of the Secret", async () => {
  await createDomainAndUser();
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  secret("far/secret", "secret of far", "1");
  const spec = { domainRef: { name: "example", namespace: "voice" } };
  source.put("SipUser", "far", "bob", userSpec("bob", spec));
  await reconcile("SipUser", "far/bob");
  await bind("bob");
  source.put("SipUser", "far", "bob", userSpec("bob", { ...spec, maxContacts: 3 }), pause);
  await reconcile("SipUser", "far/bob");
  expect(await isEnabled("bob")).toBe(true);
  source.put("SipDomain", "voice", "example", domainSpec());
  source.requests.length = 0;
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("NotAllowed");
  expect(source.requests.filter((request) => request.includes("Secret"))).toEqual([]);
  expect(await isEnabled("bob")).toBe(false);
  expect(await mariadb.query("SELECT * FROM location")).toEqual([]);
  expect(await isEnabled("alice")).toBe(true);
});

test("rule 2: the users of an observed domain are disabled while the cluster does not allow the domain", async () => {
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
  await reconcile("SipUser", "far/alice"); // not Ready for another reason
  source.put("SipCluster", "voice", "main", cluster());
  await reconcile("SipDomain", "far/example");
  const statusChange = { kind: "SipDomain", key: "far/example", what: "status" } as const;
  expect(users.dependentsOf(statusChange)).toEqual(["far/alice"]);
  expect((await reconcile("SipUser", "far/alice")).reason).toBe("DomainNotReady");
  expect(await isEnabled("alice")).toBe(false);
  expect(users.dependentsOf(statusChange)).toEqual([]);
  secret("far/secret", "first", "2");
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains }));
  await reconcile("SipDomain", "far/example");
  expect(users.dependentsOf(statusChange)).toEqual(["far/alice"]);
  expect(await reconcile("SipUser", "far/alice")).toEqual({ reason: "Reconciled" });
  expect(await isEnabled("alice")).toBe(true);
});

test("rule 6: users of a deleted domain cannot log in at the next domain with its name, and are enabled again with their own domain", async () => {
  await createDomainAndUser();
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
  expect(await isEnabled("alice")).toBe(true);
  source.presences.clear();
  source.put("SipUser", "voice", "alice", userSpec("alice"), pause);
  for (const name of ["alice", "erin", "fay"])
    expect(await reconcile("SipUser", `voice/${name}`)).toEqual({ reason: "DomainNotFound" });
  expect([await isEnabled("alice"), await isEnabled("erin"), await isEnabled("fay")]).toEqual([
    false,
    false,
    true,
  ]);
  expect(await mariadb.query("SELECT * FROM location")).toEqual([]);
  source.requests.length = 0;
  await reconcile("SipUser", "voice/erin");
  expect(source.requests).toEqual([]);
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  for (const name of ["alice", "erin"]) {
    expect(await reconcile("SipUser", `voice/${name}`)).toEqual({ reason: "Reconciled" });
    expect(await isEnabled(name)).toBe(true);
  }
});

test("rule 2: users that were created in an observed domain are disabled when the domain belongs to another tenant", async () => {
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
  expect(await isEnabled("alice")).toBe(false);
});

test("rule 6: of a user's rows in two databases those that are still enabled are disabled", async () => {
  await createDomainAndUser();
  await mariadb.query("DROP DATABASE IF EXISTS second");
  await mariadb.query("CREATE DATABASE second CHARACTER SET utf8mb4");
  const { mysql } = cluster();
  source.put("SipCluster", "voice", "second", { mysql: { ...mysql, database: "second" } });
  const deleteDomain = async (): Promise<void> => {
    deleted("SipDomain", "voice/example");
    await domains.finalize(source.get("SipDomain", "voice/example")!, 0);
    source.remove("SipDomain", "voice", "example");
    expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotFound");
  };
  const isEnabledInSecond = async (): Promise<unknown> =>
    (await mariadb.query<{ enabled: number }>("SELECT enabled FROM second.strowger_subscriber"))[0]?.enabled;
  await deleteDomain();
  expect(await isEnabled("alice")).toBe(false);
  source.put("SipDomain", "voice", "example", domainSpec({ clusterRef: { name: "second" } }));
  await reconcile("SipDomain", "voice/example");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
  expect([await isEnabled("alice"), await isEnabledInSecond()]).toEqual([false, 1]);
  await deleteDomain();
  expect(await isEnabledInSecond()).toBe(0);
});
