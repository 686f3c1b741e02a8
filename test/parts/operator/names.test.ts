/** Several objects with the same name, and the changes that are applied for a refused object (ADR 33); on a real database. */
import { createHash } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import type { ObjectKey } from "../../../operator/src/runtime/object.ts";
import {
  cluster,
  domainSpec,
  installations,
  mariadb,
  reconcile,
  secret,
  source,
  userSpec,
} from "./kinds-setup.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** `minute` is the object's creation time, in minutes after the start of 2026-01-01. */
function put(
  kind: "SipDomain" | "SipUser",
  [namespace, name]: readonly [string, string],
  minute: number,
  spec: object,
) {
  const creationTimestamp = `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`;
  source.put(kind, namespace, name, spec, { creationTimestamp });
}

async function emptyDatabase(): Promise<void> {
  await mariadb.query("DROP DATABASE strowger");
  await mariadb.query("CREATE DATABASE strowger CHARACTER SET utf8mb4");
  await mariadb.query("USE strowger");
  await installations.sendHeartbeats();
}

const reasons = async (
  kind: "SipDomain" | "SipUser",
  keys: readonly ObjectKey[],
): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const key of keys) found.push((await reconcile(kind, key)).reason);
  return found;
};

const ownersOf = async (kind: string): Promise<readonly string[]> =>
  (
    await mariadb.query<{ claim: string }>(
      "SELECT CONCAT(name, ' ', owner_namespace, '/', owner_name) AS claim FROM strowger_claim WHERE kind = ? ORDER BY name",
      [kind],
    )
  ).map(({ claim }) => claim);

beforeEach(() => secret("voice/secret", "first", "1"));

test("in an emptied database a domain and its alias go to the older SipDomain, in any order of reconciles", async () => {
  put("SipDomain", ["voice", "b-older"], 1, domainSpec({ aliases: ["pbx.example.com"] }));
  put("SipDomain", ["voice", "a-younger"], 2, domainSpec());
  put(
    "SipDomain",
    ["voice", "c-alias"],
    3,
    domainSpec({ domain: "own.example", aliases: ["pbx.example.com"] }),
  );
  const served = ["example.com voice/b-older", "pbx.example.com voice/b-older"];
  expect(await reasons("SipDomain", ["voice/b-older", "voice/a-younger", "voice/c-alias"])).toEqual([
    "Reconciled",
    "Conflict",
    "Conflict",
  ]);
  expect(await ownersOf("domain")).toEqual(served);
  await emptyDatabase();
  expect(await reasons("SipDomain", ["voice/c-alias", "voice/a-younger", "voice/b-older"])).toEqual([
    "Conflict",
    "Conflict",
    "Reconciled",
  ]);
  expect(await ownersOf("domain")).toEqual(served);
});

test("a SipDomain that its cluster does not serve, that only observes or that is being deleted does not reserve a name", async () => {
  const theirs = domainSpec({ clusterRef: { name: "main", namespace: "voice" } });
  put("SipDomain", ["far", "not-allowed"], 1, theirs);
  put("SipDomain", ["voice", "looks"], 1, domainSpec({ adoptionPolicy: "Observe" }));
  put("SipDomain", ["voice", "leaves"], 1, domainSpec());
  const leaving = source.get("SipDomain", "voice/leaves")!;
  const metadata = { ...leaving.metadata, deletionTimestamp: "2026-01-02T00:00:00Z" };
  source.objects.set("SipDomain voice/leaves", { ...leaving, metadata });
  put("SipDomain", ["voice", "example"], 9, domainSpec());
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Reconciled");
});

test("the older SipDomain of another namespace gets the name when its cluster serves it", async () => {
  source.put(
    "SipCluster",
    "voice",
    "main",
    cluster({ allowedDomains: [{ namespaces: { names: ["far"] } }] }),
  );
  put("SipDomain", ["far", "older"], 1, domainSpec({ clusterRef: { name: "main", namespace: "voice" } }));
  put("SipDomain", ["voice", "example"], 9, domainSpec());
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Conflict");
  expect((await reconcile("SipDomain", "far/older")).reason).toBe("Reconciled");
});

test("in an emptied database a username and an alias go to the older SipUser, in any order of reconciles", async () => {
  put("SipDomain", ["voice", "example"], 0, domainSpec());
  await reconcile("SipDomain", "voice/example");
  put("SipUser", ["voice", "b-older"], 1, userSpec("alice", { aliases: ["100"] }));
  put("SipUser", ["voice", "a-younger"], 2, userSpec("alice"));
  put("SipUser", ["voice", "c-alias"], 2, userSpec("carol", { aliases: ["100"] }));
  put("SipUser", ["voice", "d-number"], 2, userSpec("100"));
  const keys: ObjectKey[] = ["voice/b-older", "voice/a-younger", "voice/c-alias", "voice/d-number"];
  const owners = ["100@example.com voice/b-older", "alice@example.com voice/b-older"];
  expect(await reasons("SipUser", keys)).toEqual(["Reconciled", "Conflict", "Conflict", "Conflict"]);
  await emptyDatabase();
  await reconcile("SipDomain", "voice/example");
  expect(await reasons("SipUser", keys.toReversed())).toEqual([
    "Conflict",
    "Conflict",
    "Conflict",
    "Reconciled",
  ]);
  expect(await ownersOf("user")).toEqual(owners);
});

test("of two objects created in the same second the first by name counts as older, and a recorded owner keeps its name", async () => {
  put("SipDomain", ["voice", "b"], 1, domainSpec());
  expect((await reconcile("SipDomain", "voice/b")).reason).toBe("Reconciled");
  put("SipDomain", ["voice", "a"], 1, domainSpec());
  expect(await reasons("SipDomain", ["voice/a", "voice/b"])).toEqual(["Conflict", "Reconciled"]);
  await emptyDatabase();
  expect(await reasons("SipDomain", ["voice/b", "voice/a"])).toEqual(["Conflict", "Reconciled"]);
});

test("an older object that no longer requests the name releases it to the next one", async () => {
  put("SipDomain", ["voice", "example"], 0, domainSpec());
  await reconcile("SipDomain", "voice/example");
  put(
    "SipUser",
    ["voice", "older"],
    1,
    userSpec("alice", { aliases: ["100"], passwordSecretRef: { name: "no", key: "x" } }),
  );
  put("SipUser", ["voice", "younger"], 2, userSpec("bob", { aliases: ["100"] }));
  expect(await reasons("SipUser", ["voice/younger", "voice/older"])).toEqual(["Conflict", "SecretNotFound"]);
  source.put("SipUser", "voice", "older", userSpec("alice"));
  expect((await reconcile("SipUser", "voice/younger")).reason).toBe("Reconciled");
});

test("two users that swap their aliases in one change are both served after three reconciles", async () => {
  put("SipDomain", ["voice", "example"], 0, domainSpec());
  await reconcile("SipDomain", "voice/example");
  put("SipUser", ["voice", "alice"], 1, userSpec("alice", { aliases: ["100"] }));
  put("SipUser", ["voice", "bob"], 2, userSpec("bob", { aliases: ["200"] }));
  await reasons("SipUser", ["voice/alice", "voice/bob"]);
  source.put("SipUser", "voice", "alice", userSpec("alice", { aliases: ["200"] }));
  source.put("SipUser", "voice", "bob", userSpec("bob", { aliases: ["100"] }));
  expect(await reconcile("SipUser", "voice/alice")).toMatchObject({ reason: "Conflict", freesName: true });
  expect(await reconcile("SipUser", "voice/bob")).toMatchObject({ reason: "Reconciled", freesName: true });
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
  expect(
    await mariadb.query("SELECT alias_username AS alias, username FROM dbaliases ORDER BY alias_username"),
  ).toEqual([
    { alias: "100", username: "bob" },
    { alias: "200", username: "alice" },
  ]);
});

test("two domains that swap their aliases in one change are both served after three reconciles", async () => {
  put("SipDomain", ["voice", "one"], 1, domainSpec({ domain: "one.example", aliases: ["a.example"] }));
  put("SipDomain", ["voice", "two"], 2, domainSpec({ domain: "two.example", aliases: ["b.example"] }));
  await reasons("SipDomain", ["voice/one", "voice/two"]);
  source.put("SipDomain", "voice", "one", domainSpec({ domain: "one.example", aliases: ["b.example"] }));
  source.put("SipDomain", "voice", "two", domainSpec({ domain: "two.example", aliases: ["a.example"] }));
  expect(await reasons("SipDomain", ["voice/two", "voice/one", "voice/two"])).toEqual([
    "Conflict",
    "Reconciled",
    "Reconciled",
  ]);
  expect(await mariadb.query("SELECT domain, alias_of FROM strowger_domain ORDER BY domain")).toEqual([
    { domain: "a.example", alias_of: "two.example" },
    { domain: "b.example", alias_of: "one.example" },
    { domain: "one.example", alias_of: null },
    { domain: "two.example", alias_of: null },
  ]);
});

test("restrictions are written to the rows while a Secret cannot be read, and the reconcile still fails", async () => {
  put("SipDomain", ["voice", "example"], 0, domainSpec());
  await reconcile("SipDomain", "voice/example");
  put("SipUser", ["voice", "alice"], 1, userSpec("alice", { aliases: ["100"] }));
  await reconcile("SipUser", "voice/alice");
  source.put("SipUser", "voice", "alice", userSpec("alice", { enabled: false }));
  source.secret = () => Promise.reject(new Error("forbidden"));
  await expect(reconcile("SipUser", "voice/alice")).rejects.toThrow("forbidden");
  expect(await mariadb.query("SELECT enabled FROM strowger_subscriber")).toEqual([{ enabled: 0 }]);
  expect(await mariadb.query("SELECT * FROM dbaliases")).toEqual([]);
  expect(await ownersOf("user")).toEqual(["alice@example.com voice/alice"]);
});

test("a rotated password is written while an alias belongs to another object", async () => {
  put("SipDomain", ["voice", "example"], 0, domainSpec());
  await reconcile("SipDomain", "voice/example");
  put("SipUser", ["voice", "bob"], 1, userSpec("bob", { aliases: ["100"] }));
  put("SipUser", ["voice", "alice"], 2, userSpec("alice"));
  await reasons("SipUser", ["voice/bob", "voice/alice"]);
  source.put("SipUser", "voice", "alice", userSpec("alice", { aliases: ["100"] }));
  secret("voice/secret", "second", "2");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Conflict");
  expect(await mariadb.query("SELECT ha1 FROM subscriber WHERE username = 'alice'")).toEqual([
    { ha1: md5("alice:test:second") },
  ]);
});
