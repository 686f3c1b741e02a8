/** SipDomains and SipUsers on a real MariaDB. kinds-deletion.test.ts and kinds-tenants.test.ts have the other rules. */
import { expect, test } from "vitest";
import type { CommonStatus, ObjectKey } from "../../../operator/src/runtime/object.ts";
import { RegistrationFigures } from "../../../operator/src/sip-user/registrations.ts";
import {
  clock,
  cluster,
  createDomainAndUser,
  deleted,
  domainSpec,
  ha1Of,
  installations,
  mariadb,
  md5,
  reconcile,
  secret,
  source,
  statusOf,
  subscribers,
  users,
  userSpec,
} from "./kinds-setup.ts";

const loginWithAddress = async (name: string): Promise<string | undefined> =>
  (
    await mariadb.query<{ ha1b: string }>("SELECT ha1b FROM strowger_subscriber WHERE username = ?", [name])
  )[0]?.ha1b;

test("a new user needs requests for one Secret, one finalizer and one status; a second reconcile only for the Secret", async () => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  source.requests.length = 0;
  expect(await reconcile("SipUser", "voice/alice")).toEqual({ reason: "Reconciled" });
  expect(source.requests).toEqual([
    "GET Secret voice/secret",
    "PATCH SipUser voice/alice finalizers",
    "PATCH SipUser voice/alice status by status",
  ]);
  source.requests.length = 0;
  expect(await reconcile("SipUser", "voice/alice")).toEqual({ reason: "Reconciled" });
  expect(source.requests).toEqual(["GET Secret voice/secret"]);
  expect(statusOf("SipUser", "voice/alice")).toMatchObject({
    address: "sip:alice@example.com",
    deletionPolicy: "Delete",
    secretResourceVersion: "1",
  });
  expect(await ha1Of("alice")).toBe(md5("alice:test:first"));
});

test("a rotated Secret is in the row and in the status; a row that another program changed is restored and counted", async () => {
  await createDomainAndUser();
  secret("voice/secret", "second", "2");
  expect(await reconcile("SipUser", "voice/alice")).toEqual({ reason: "Reconciled" });
  expect(await ha1Of("alice")).toBe(md5("alice:test:second"));
  expect(await loginWithAddress("alice")).toBe(md5("alice@example.com:test:second"));
  expect(statusOf("SipUser", "voice/alice")).toMatchObject({ secretResourceVersion: "2" });
  await mariadb.query("UPDATE subscriber SET ha1 = 'theirs'");
  expect(await reconcile("SipUser", "voice/alice")).toMatchObject({ isRepair: true });
  expect(await ha1Of("alice")).toBe(md5("alice:test:second"));
  await mariadb.query("DELETE FROM domain");
  expect(await reconcile("SipDomain", "voice/example")).toMatchObject({ isRepair: true });
  expect(await mariadb.query("SELECT domain FROM domain")).toEqual([{ domain: "example.com" }]);
});

test("a password is generated once, in one reconcile", async () => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  source.put(
    "SipUser",
    "voice",
    "gina",
    userSpec("gina", { passwordSecretRef: undefined, generatePassword: true }),
  );
  expect((await reconcile("SipUser", "voice/gina")).reason).toBe("Reconciled");
  const made = source.secrets.get("voice/gina-sip-password");
  expect(await ha1Of("gina")).toBe(md5(`gina:test:${made?.data["password"]}`));
  await reconcile("SipUser", "voice/gina");
  expect(source.secrets.get("voice/gina-sip-password")).toBe(made);
  deleted("SipUser", "voice/gina");
  expect(await users.finalize(source.get("SipUser", "voice/gina")!, 0)).toEqual({ isDone: true });
  expect(source.secrets.has("voice/gina-sip-password")).toBe(false);
});

test("a generated password needs one read: an object that got its finalizer just now is not gone, and any other may be", async () => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  const spec = userSpec("gina", { passwordSecretRef: undefined, generatePassword: true });
  source.put("SipUser", "voice", "gina", spec);
  source.requests.length = 0;
  await reconcile("SipUser", "voice/gina");
  expect(source.requests).toEqual([
    "GET Secret voice/gina-sip-password",
    "PATCH SipUser voice/gina finalizers",
    "POST Secret voice/gina-sip-password",
    "PATCH SipUser voice/gina status by status",
  ]);
  source.secrets.delete("voice/gina-sip-password");
  source.presences.set("SipUser voice/gina", { is: "absent" });
  source.requests.length = 0;
  await reconcile("SipUser", "voice/gina");
  expect(source.requests).toContain("GET SipUser voice/gina");
  expect(source.secrets.has("voice/gina-sip-password")).toBe(false);
});

test("the report of a generated Secret needs no other reconcile; that of a later version does", async () => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  const spec = userSpec("gina", { passwordSecretRef: undefined, generatePassword: true });
  source.put("SipUser", "voice", "gina", spec);
  const key = "voice/gina-sip-password";
  const reported = (version: string | undefined): readonly ObjectKey[] => {
    source.reported.set(key, version);
    return users.dependentsOf({ kind: "Secret", key, what: "object" });
  };
  source.reported.set(key, undefined);
  await reconcile("SipUser", "voice/gina");
  expect(reported(source.secrets.get(key)?.resourceVersion)).toEqual([]);
  expect(reported("later")).toEqual(["voice/gina"]);
});

test("a paused object is not changed, has the condition Paused, and can be deleted", async () => {
  await createDomainAndUser();
  const pause = { annotations: { "sip.strowger.dev/paused": "true" } };
  source.put("SipUser", "voice", "alice", userSpec("alice", { enabled: false }), pause);
  await reconcile("SipUser", "voice/alice");
  expect(await mariadb.query("SELECT enabled FROM strowger_subscriber")).toEqual([{ enabled: 1 }]);
  const { conditions, observedGeneration } = statusOf("SipUser", "voice/alice") as CommonStatus;
  expect(observedGeneration).toBe(1);
  expect(conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual(["Ready=True", "Paused=True"]);
  source.put("SipUser", "voice", "alice", userSpec("alice", { enabled: false }));
  await reconcile("SipUser", "voice/alice");
  expect(await mariadb.query("SELECT enabled FROM strowger_subscriber")).toEqual([{ enabled: 0 }]);
  source.put("SipUser", "voice", "alice", userSpec("alice"), pause);
  deleted("SipUser", "voice/alice");
  await users.finalize(source.get("SipUser", "voice/alice")!, 0);
  expect(await subscribers()).toEqual([]);
});

test("while a re-created SipCluster has no database yet, its domains and users wait, and nothing is written", async () => {
  await createDomainAndUser();
  const meta = () => mariadb.query("SELECT epoch, change_seq, cluster_uid FROM strowger_meta");
  const before = await meta();
  source.put("SipCluster", "voice", "main", cluster(), { uid: "anew" });
  source.put("SipDomain", "voice", "example", domainSpec({ registration: { maxExpiresSeconds: 60 } }));
  source.put("SipUser", "voice", "alice", userSpec("alice", { maxContacts: 3 }));
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("ClusterNotReady");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotReady");
  expect(await meta()).toEqual(before);
});

/** Inserts a binding of a user. */
const bind = async (name: string, id: number, registeredAt: number): Promise<void> => {
  await mariadb.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (?, ?, 'example.com', 'sip:x', 4000000000)",
    [id, name],
  );
  await mariadb.query(
    "INSERT INTO strowger_flow (contact_id, flow, owner_node, registered_at) VALUES (?, 'udp:192.0.2.1:5060', 'n', ?)",
    [id, registeredAt],
  );
};

test("rule 8: registration figures have their own status writer, and the other writer does not change them", async () => {
  await createDomainAndUser();
  const failures: unknown[] = [];
  const counts: unknown[] = [];
  const figures = new RegistrationFigures({
    installations,
    source,
    clock,
    onCount: (cluster, bindings) => counts.push([cluster, bindings]),
    onFailure: (cause) => failures.push(cause),
  });
  const round = async (): Promise<void> => {
    await figures.read();
    while (await figures.writeNext());
  };
  source.requests.length = 0;
  await round();
  expect(source.requests).toEqual(["PATCH SipDomain voice/example status by registrations"]);
  await bind("alice", 1, Date.UTC(2026, 0, 2));
  await bind("alice", 2, Date.UTC(2026, 0, 1));
  await mariadb.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (3, 'alice', 'example.com', 'sip:y', 1)",
  );
  await round();
  expect(counts).toEqual([
    ["voice/main", 0],
    ["voice/main", 2],
  ]);
  const registered = { registered: true, contacts: 2, registeredSince: "2026-01-01T00:00:00Z" };
  expect(statusOf("SipUser", "voice/alice")).toMatchObject(registered);
  expect(statusOf("SipDomain", "voice/example")).toMatchObject({ users: 1, registrations: 2 });
  secret("voice/secret", "second", "2");
  clock.advance(20_000); // the write was read back long before
  await reconcile("SipUser", "voice/alice");
  expect(statusOf("SipUser", "voice/alice")).toMatchObject({ ...registered, secretResourceVersion: "2" });
  expect(source.written.get("status SipUser voice/alice")).not.toHaveProperty("registered");
  // A user that is not Ready and has rows counts as a user of the domain.
  source.secrets.delete("voice/secret");
  expect(await reconcile("SipUser", "voice/alice")).toMatchObject({ reason: "SecretNotFound" });
  await round();
  expect(statusOf("SipDomain", "voice/example")).toMatchObject({ users: 1, registrations: 2 });
  expect(failures).toEqual([]);
});

test("objects get their rows back after a loss of the owner rows, without a request to adopt them", async () => {
  await createDomainAndUser();
  source.put("SipUser", "voice", "bob", userSpec("bob", { aliases: ["200"] }));
  secret("voice/bob", "x", "1");
  await reconcile("SipUser", "voice/bob");
  const owners = await mariadb.query(
    "SELECT kind, name, deletion_policy, fields FROM strowger_owner ORDER BY kind, name",
  );
  const claims = await mariadb.query("SELECT kind, name, owner_name FROM strowger_claim ORDER BY kind, name");
  for (const table of ["strowger_owner", "strowger_claim"]) await mariadb.query(`TRUNCATE ${table}`);
  await mariadb.query("INSERT INTO subscriber (username, domain, ha1) VALUES ('carol', 'example.com', 'x')");
  source.put("SipUser", "voice", "carol", userSpec("carol"));
  // A user that is reconciled before its domain waits for the domain; its rows still belong to it.
  for (const key of ["voice/alice", "voice/carol"] as const)
    expect(await reconcile("SipUser", key)).toMatchObject({ reason: "DomainNotReady" });
  for (const [kind, key] of [
    ["SipDomain", "voice/example"],
    ["SipUser", "voice/alice"],
    ["SipUser", "voice/bob"],
  ] as const)
    expect(await reconcile(kind, key)).toMatchObject({ reason: "Reconciled" });
  expect(await reconcile("SipUser", "voice/carol")).toMatchObject({ reason: "Conflict" });
  expect(
    await mariadb.query("SELECT kind, name, deletion_policy, fields FROM strowger_owner ORDER BY kind, name"),
  ).toEqual(owners);
  expect(
    await mariadb.query("SELECT kind, name, owner_name FROM strowger_claim ORDER BY kind, name"),
  ).toEqual(claims);
});
