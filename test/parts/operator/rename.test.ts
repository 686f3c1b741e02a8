/** A SipUser object that is renamed keeps the phone's bindings (ADR 35); on a real database. */
import { beforeEach, expect, test } from "vitest";
import type { ObjectKey } from "../../../operator/src/runtime/object.ts";
import { domainSpec, mariadb, reconcile, secret, source, users, userSpec } from "./kinds-setup.ts";

beforeEach(async () => {
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  secret("voice/secret", "first", "1");
  await reconcile("SipDomain", "voice/example");
  source.put("SipUser", "voice", "old", userSpec("alice", { aliases: ["100", "200"] }));
  await reconcile("SipUser", "voice/old");
  await mariadb.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (7, 'alice', 'example.com', 'sip:x', 4000000000)",
  );
});

const bindings = async (): Promise<number> =>
  (await mariadb.query<{ n: number }>("SELECT CAST(COUNT(*) AS SIGNED) AS n FROM location"))[0]?.n ?? -1;

const names = (): Promise<unknown> =>
  mariadb.query(
    "SELECT CONCAT(name, ' ', owner_namespace, '/', owner_name) AS claim FROM strowger_claim WHERE kind = 'user' ORDER BY name",
  );

test("files: the old object is absent, and the new one has the same account and password: its bindings stay", async () => {
  source.remove("SipUser", "voice", "old");
  source.put("SipUser", "voice", "new", userSpec("alice", { aliases: ["100", "300"] }));
  expect((await reconcile("SipUser", "voice/new")).reason).toBe("Conflict");
  await users.remove("voice/old");
  expect(await bindings()).toBe(1);
  expect((await reconcile("SipUser", "voice/new")).reason).toBe("Reconciled");
  expect(await bindings()).toBe(1);
  expect(await names()).toEqual([
    { claim: "100@example.com voice/new" },
    { claim: "300@example.com voice/new" },
    { claim: "alice@example.com voice/new" },
  ]);
  expect(await mariadb.query("SELECT name FROM strowger_owner WHERE kind = 'SipUser'")).toEqual([
    { name: "new" },
  ]);
  expect(await mariadb.query("SELECT alias_username AS a FROM dbaliases ORDER BY a")).toEqual([
    { a: "100" },
    { a: "300" },
  ]);
  source.remove("SipUser", "voice", "new");
  await users.remove("voice/new");
  expect(await bindings()).toBe(0);
  expect(await mariadb.query("SELECT * FROM subscriber")).toEqual([]);
});

test("Kubernetes: the old object is being deleted: its bindings stay", async () => {
  source.put("SipUser", "voice", "new", userSpec("alice"));
  const old = source.get("SipUser", "voice/old")!;
  const going = { ...old, metadata: { ...old.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  source.objects.set("SipUser voice/old", going);
  expect(await users.finalize(going, 0)).toEqual({ isDone: true });
  expect((await reconcile("SipUser", "voice/new")).reason).toBe("Reconciled");
  expect(await bindings()).toBe(1);
});

const other = { passwordSecretRef: { name: "other", key: "password" } };
const inVoice = { domainRef: { name: "example", namespace: "voice" } };

test.each([
  ["has another password", "voice/new", other, {}],
  ["has no password yet", "voice/new", { passwordSecretRef: undefined, generatePassword: true }, {}],
  ["is of another namespace", "far/new", inVoice, {}],
  ["is disabled", "voice/new", { enabled: false }, {}],
  ["only looks", "voice/new", { adoptionPolicy: "Observe" }, {}],
  ["is paused", "voice/new", {}, { annotations: { "sip.strowger.dev/paused": "true" } }],
  ["is going, too", "voice/new", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }],
  ["has the name as an alias only", "voice/new", { username: "bob", aliases: ["alice"] }, {}],
] as const)("the bindings are deleted with the object if the other one %s", async (_why, key, spec, more) => {
  secret("voice/other", "second", "1");
  secret("far/secret", "first", "1");
  const [namespace, name] = key.split("/") as [string, string];
  source.put("SipUser", namespace, name, userSpec("alice", spec), more);
  source.remove("SipUser", "voice", "old");
  await users.remove("voice/old" satisfies ObjectKey);
  expect(await bindings()).toBe(0);
  expect(await names()).toEqual([]);
});

test("an object that already owns rows does not take over the rows of another", async () => {
  source.put("SipUser", "voice", "second", userSpec("bob"));
  await reconcile("SipUser", "voice/second");
  source.put("SipUser", "voice", "second", userSpec("alice"));
  source.remove("SipUser", "voice", "old");
  await users.remove("voice/old");
  expect(await bindings()).toBe(0);
  expect(await names()).toEqual([{ claim: "bob@example.com voice/second" }]);
});
