import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { CommonStatus, ObjectKey } from "../../../operator/src/runtime/object.ts";
import { RegistrationFigures } from "../../../operator/src/sip-user/registrations.ts";
import {
  mariadb,
  source,
  clock,
  installations,
  domains,
  users,
  cluster,
  domainSpec,
  userSpec,
  secret,
  reconcile,
} from "./kinds-setup.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

const statusOf = (kind: string, key: ObjectKey): Record<string, unknown> =>
  source.get(kind, key)?.status as Record<string, unknown>;

const finalizersOf = (kind: string, key: ObjectKey): readonly string[] =>
  source.get(kind, key)?.metadata.finalizers ?? [];

const loginWithAddress = async (name: string): Promise<string | undefined> =>
  (
    await mariadb.query<{ ha1b: string }>("SELECT ha1b FROM strowger_subscriber WHERE username = ?", [name])
  )[0]?.ha1b;

const ha1Of = async (name: string): Promise<string | undefined> =>
  (await mariadb.query<{ ha1: string }>("SELECT ha1 FROM subscriber WHERE username = ?", [name]))[0]?.ha1;

/** A served domain with its user alice. */
async function createDomainAndUser(): Promise<void> {
  source.put("SipDomain", "voice", "example", domainSpec());
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  await reconcile("SipDomain", "voice/example");
  await reconcile("SipUser", "voice/alice");
}

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

/** Marks the object for deletion. */
function deleted(kind: string, key: ObjectKey): void {
  const object = source.get(kind, key)!;
  const metadata = { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  source.objects.set(`${kind} ${key}`, { ...object, metadata });
}

const subscribers = async (): Promise<readonly string[]> =>
  (await mariadb.query<{ username: string }>("SELECT username FROM subscriber ORDER BY username")).map(
    ({ username }) => username,
  );

test("rule 6: a deleted user is removed by its owner row alone, without its Secret, its domain or an earlier reconcile", async () => {
  await createDomainAndUser();
  expect(finalizersOf("SipUser", "voice/alice")).toEqual(["sip.strowger.dev/rows"]);
  source.secrets.delete("voice/secret");
  source.remove("SipDomain", "voice", "example");
  deleted("SipUser", "voice/alice");
  expect(await users.finalize(source.get("SipUser", "voice/alice")!, 0)).toEqual({ isDone: true });
  expect(await subscribers()).toEqual([]);
  expect(await mariadb.query("SELECT * FROM strowger_owner WHERE kind = 'SipUser'")).toEqual([]);
  expect(await mariadb.query("SELECT * FROM strowger_claim WHERE kind = 'user'")).toEqual([]);
});

test("rule 5: an object that was never reconciled deletes nothing, not even rows of an earlier object with its name", async () => {
  await createDomainAndUser();
  source.put("SipUser", "voice", "twin", userSpec("alice"));
  expect((await reconcile("SipUser", "voice/twin")).reason).toBe("Conflict");
  deleted("SipUser", "voice/twin");
  expect(await users.finalize(source.get("SipUser", "voice/twin")!, 0)).toEqual({ isDone: true });
  source.remove("SipUser", "voice", "alice");
  source.put("SipUser", "voice", "alice", userSpec("alice"), {
    uid: "new",
    finalizers: ["sip.strowger.dev/rows"],
  });
  deleted("SipUser", "voice/alice");
  expect(await users.finalize(source.get("SipUser", "voice/alice")!, 0)).toEqual({ isDone: true });
  expect(await subscribers()).toEqual(["alice"]);
});

test("rule 6: an unavailable database delays a deletion for 30 s; then an Event reports that its rows are deleted later", async () => {
  await createDomainAndUser();
  deleted("SipUser", "voice/alice");
  const alice = source.get("SipUser", "voice/alice")!;
  await mariadb.crash();
  try {
    expect(await users.finalize(alice, 0)).toEqual({ isDone: false, requeueAfter: 2_000 });
    expect(await users.finalize(alice, 29_000)).toMatchObject({ isDone: false });
    expect(await users.finalize(alice, 30_000)).toEqual({ isDone: true });
    expect(source.events.at(-1)).toMatchObject({ type: "Warning", reason: "RowsKept", name: "alice" });
  } finally {
    await mariadb.restart();
  }
  await expect
    .poll(async () => {
      clock.advance(1_000); // the delay after a failed connect
      return (await users.owned()).keys;
    })
    .toEqual(["voice/alice"]);
  await users.remove("voice/alice"); // as the sweep does
  expect(await subscribers()).toEqual([]);
});

test("rule 6: without its SipCluster an object's finalizer is removed at once, with an Event", async () => {
  await createDomainAndUser();
  source.remove("SipCluster", "voice", "main");
  installations.changed({ kind: "SipCluster", key: "voice/main", what: "object" });
  deleted("SipDomain", "voice/example");
  expect(await domains.finalize(source.get("SipDomain", "voice/example")!, 0)).toEqual({ isDone: true });
  expect(source.events.at(-1)).toMatchObject({ reason: "RowsKept" });
});

test("with deletionPolicy Retain no finalizer is added, and an existing one is removed", async () => {
  await createDomainAndUser();
  source.put("SipUser", "voice", "alice", userSpec("alice", { deletionPolicy: "Retain" }));
  await reconcile("SipUser", "voice/alice");
  expect(finalizersOf("SipUser", "voice/alice")).toEqual([]);
  source.remove("SipUser", "voice", "alice");
  await users.remove("voice/alice");
  expect(await subscribers()).toEqual(["alice"]);
  expect((await users.owned()).keys).toEqual([]);
});

test.each([
  ["finalizer", async () => void (await users.finalize(source.get("SipUser", "voice/gina")!, 0))],
  ["sweep", () => users.remove("voice/gina")],
])("deletionPolicy Retain keeps the generated password with the row: %s", async (_what, remove) => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  const spec = { passwordSecretRef: undefined, generatePassword: true, deletionPolicy: "Retain" };
  source.put("SipUser", "voice", "gina", userSpec("gina", spec));
  expect((await reconcile("SipUser", "voice/gina")).reason).toBe("Reconciled");
  deleted("SipUser", "voice/gina");
  await remove();
  expect((await users.owned()).keys).toEqual([]);
  expect(await subscribers()).toEqual(["gina"]);
  expect(source.secrets.has("voice/gina-sip-password")).toBe(true);
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

test("rule 3: a restored object with a new uid takes over its rows when the old object is proven absent", async () => {
  await createDomainAndUser();
  source.remove("SipUser", "voice", "alice");
  source.put("SipUser", "voice", "alice", userSpec("alice"), { uid: "restored" });
  source.presences.set("SipUser voice/alice", { is: "unknown", why: "the API server is away" });
  expect(await reconcile("SipUser", "voice/alice")).toMatchObject({ reason: "OwnerUnproven" });
  source.presences.clear();
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
  expect(await mariadb.query("SELECT uid FROM strowger_owner WHERE kind = 'SipUser'")).toEqual([
    { uid: "restored" },
  ]);
});

test("rule 2: a domain of another namespace is served only while the cluster allows it", async () => {
  const far = {
    clusterRef: { name: "main", namespace: "voice" },
    domain: "far.example",
    aliases: ["sip.far.example"],
  };
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect(await mariadb.query("SELECT * FROM domain")).toEqual([]);
  const allowed = { namespaces: { selector: { matchLabels: { tenant: "yes" } } }, suffixes: ["far.example"] };
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains: [allowed] }));
  source.namespaces.set("far", { tenant: "yes" });
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("Reconciled");
  source.namespaces.set("far", {});
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect(await mariadb.query("SELECT domain, enabled FROM strowger_domain WHERE alias_of IS NULL")).toEqual([
    { domain: "far.example", enabled: 0 },
  ]);
});

test("rule 2: of two tenants with the same name the second has a Conflict, without information about the first", async () => {
  await createDomainAndUser();
  source.put(
    "SipCluster",
    "voice",
    "main",
    cluster({ allowedDomains: [{ namespaces: { names: ["far"] } }] }),
  );
  source.put("SipDomain", "far", "mine", domainSpec({ clusterRef: { name: "main", namespace: "voice" } }));
  expect((await reconcile("SipDomain", "far/mine")).reason).toBe("Conflict");
  const { conditions } = statusOf("SipDomain", "far/mine") as CommonStatus;
  expect(conditions?.[0]?.message).not.toMatch(/voice|SipDomain example/);
});

test("rule 2: a user of another namespace is created if the domain allows it, with a Secret of the user's namespace", async () => {
  await createDomainAndUser();
  secret("far/secret", "secret of far", "1");
  const spec = userSpec("bob", { domainRef: { name: "example", namespace: "voice" } });
  source.put("SipUser", "far", "bob", spec);
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("NotAllowed");
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("Reconciled");
  expect(await ha1Of("bob")).toBe(md5("bob:test:secret of far"));
  source.put("SipDomain", "voice", "example", domainSpec());
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("NotAllowed");
  expect(await mariadb.query("SELECT enabled FROM strowger_subscriber WHERE username = 'bob'")).toEqual([
    { enabled: 0 },
  ]);
});

test("rule 5: a row of another tool is observed, then adopted with its password, then retained when the object is deleted", async () => {
  await createDomainAndUser();
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, password) VALUES ('erin', 'example.com', 'plain')",
  );
  const adopting = (adoptionPolicy: string, more: object = {}) =>
    source.put(
      "SipUser",
      "voice",
      "erin",
      userSpec("erin", { adoptionPolicy, passwordSecretRef: undefined, ...more }),
    );
  adopting("Observe");
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Observed");
  expect((await users.owned()).keys).toEqual(["voice/alice"]);
  adopting("Adopt", { maxContacts: 2 });
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Reconciled");
  expect(statusOf("SipUser", "voice/erin")).toMatchObject({ deletionPolicy: "Retain" });
  expect(await mariadb.query("SELECT password, ha1 FROM subscriber WHERE username = 'erin'")).toEqual([
    { password: "plain", ha1: "" },
  ]);
  source.remove("SipUser", "voice", "erin");
  await users.remove("voice/erin");
  expect(await subscribers()).toEqual(["alice", "erin"]);
});

test("rule 5: Enforce overwrites a row of another tool; Adopt with another password is a Conflict", async () => {
  await createDomainAndUser();
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, ha1) VALUES ('erin', 'example.com', 'theirs')",
  );
  source.put("SipUser", "voice", "erin", userSpec("erin", { adoptionPolicy: "Adopt" }));
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Conflict");
  expect(await ha1Of("erin")).toBe("theirs");
  source.put("SipUser", "voice", "erin", userSpec("erin", { adoptionPolicy: "Enforce" }));
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Reconciled");
  expect(await ha1Of("erin")).toBe(md5("erin:test:first"));
});

test("rule 2: Observe gives no access to another tenant's domain, neither before nor after the status is written", async () => {
  await createDomainAndUser();
  secret("far/secret", "secret of far", "1");
  const far = { clusterRef: { name: "main", namespace: "voice" }, adoptionPolicy: "Observe" };
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  source.put("SipUser", "far", "ceo", userSpec("ceo", { domainRef: { name: "theirs" } }));
  expect((await reconcile("SipUser", "far/ceo")).reason).toBe("DomainNotReady");
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect((await reconcile("SipUser", "far/ceo")).reason).toBe("DomainNotReady");
  const anyDomain = { allowedDomains: [{ namespaces: { names: ["far"] } }] };
  source.put("SipCluster", "voice", "main", cluster(anyDomain));
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("Conflict");
  expect((await reconcile("SipUser", "far/ceo")).reason).toBe("DomainNotReady");
  expect(await subscribers()).toEqual(["alice"]);
});

test("rule 2: Observe does not reveal to another namespace whether a password is correct", async () => {
  await createDomainAndUser();
  secret("far/secret", "a guess", "1");
  const guess = { domainRef: { name: "example", namespace: "voice" }, adoptionPolicy: "Observe" };
  source.put("SipUser", "far", "guess", userSpec("alice", guess));
  expect((await reconcile("SipUser", "far/guess")).reason).toBe("NotAllowed");
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  expect((await reconcile("SipUser", "far/guess")).reason).toBe("Conflict");
  expect(JSON.stringify(statusOf("SipUser", "far/guess"))).not.toContain("differs");
});

test("users of an observed domain of another tool are created when the domain's status is Observed", async () => {
  await installations.of("voice/main");
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  source.put("SipDomain", "voice", "example", domainSpec({ adoptionPolicy: "Observe" }));
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotReady");
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Observed");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
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

test("a domain of another tool is adopted while it has users", async () => {
  await installations.of("voice/main");
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  source.put("SipDomain", "voice", "example", domainSpec());
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Conflict");
  source.put("SipDomain", "voice", "example", domainSpec({ adoptionPolicy: "Adopt" }));
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Reconciled");
  await domains.remove("voice/example");
  expect(await mariadb.query("SELECT domain FROM domain")).toEqual([{ domain: "example.com" }]);
});

test("a domain that is being deleted has no users", async () => {
  await createDomainAndUser();
  deleted("SipDomain", "voice/example");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotFound");
  await domains.finalize(source.get("SipDomain", "voice/example")!, 0);
  expect(await mariadb.query("SELECT * FROM domain")).toEqual([]);
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
