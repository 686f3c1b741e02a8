import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Claim, Owner } from "../ownership.ts";
import type { Secret } from "../runtime/source.ts";
import { decide, decideRemoval } from "./decide.ts";
import { parseSipUser, type SipUser, type UserFields } from "./resource.ts";
import type { ReadyDomain, UserWorld } from "./world.ts";

const reference = { kind: "SipUser", namespace: "ns", name: "alice" };
const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");
const ha1 = hash("md5", "alice:realm:secret");
const ha1Sha256 = hash("sha256", "alice:realm:secret");

const user = (spec: object = {}): SipUser =>
  parseSipUser({
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u1", generation: 1 },
    spec: {
      domainRef: { name: "d" },
      username: "alice",
      passwordSecretRef: { name: "s", key: "password" },
      enabled: true,
      ...spec,
    },
  });

const claim = (name: string, owner = reference): Claim => ({
  kind: "user",
  name,
  installationId: "i",
  owner,
});

const ownerOf = (fields: Partial<UserFields> = {}): Owner<UserFields> => ({
  reference,
  uid: "u1",
  generation: 1,
  deletionPolicy: "Delete",
  fields: {
    spec: { domainRef: { name: "d" }, username: "alice" },
    username: "alice",
    domain: "example.com",
    aliases: [],
    ...fields,
  },
});

const secret: Secret = { data: { password: "secret" } };

const empty: ReadyDomain = {
  kind: "ready",
  domain: "example.com",
  realm: "realm",
  claims: [],
  subscribers: [],
  settings: undefined,
  aliases: [],
  hasBindings: false,
};

/** The rows as they are once `user()` was reconciled. */
const reconciled: ReadyDomain = {
  ...empty,
  claims: [claim("alice@example.com")],
  subscribers: [{ username: "alice", domain: "example.com", ha1, ha1Sha256 }],
  settings: { isEnabled: true, maxContacts: null, displayName: null },
};

const world = (
  domain: UserWorld["domain"],
  owner?: Owner<UserFields>,
  found: Secret | undefined = secret,
): UserWorld => ({
  installationId: "i",
  domain,
  owner,
  secret: found,
});

const does = (decided: ReturnType<typeof decide>): string[] => decided.actions.map((action) => action.do);

test("a new user gets a claim, a subscriber with both hashes, settings and an owner", () => {
  const { actions, ready, status } = decide(user(), world(empty));
  const account = { username: "alice", domain: "example.com" };
  expect(actions).toEqual([
    { do: "claim", name: "alice@example.com" },
    { do: "insertSubscriber", account, credential: { ha1, ha1Sha256 } },
    { do: "saveSettings", account, settings: { isEnabled: true, maxContacts: null, displayName: null } },
    { do: "saveOwner", owner: ownerOf() },
  ]);
  expect(ready).toMatchObject({ status: "True", reason: "Reconciled" });
  expect(status).toEqual({ deletionPolicy: "Delete", address: "sip:alice@example.com" });
});

test("a user whose rows are as they should be needs nothing", () => {
  expect(decide(user(), world(reconciled, ownerOf())).actions).toEqual([]);
});

test("a rotated password changes the subscriber, and the side row whose number tells the nodes", () => {
  const rotated = { data: { password: "other" } };
  expect(does(decide(user(), world(reconciled, ownerOf(), rotated)))).toEqual([
    "updateSubscriber",
    "saveSettings",
  ]);
});

test("aliases come and go with their claims", () => {
  const found = {
    ...reconciled,
    aliases: [],
    claims: [claim("alice@example.com"), claim("200@example.com")],
  };
  const before = ownerOf({ aliases: ["200"] });
  const account = { username: "alice", domain: "example.com" };
  expect(decide(user({ aliases: ["100"] }), world(found, before)).actions).toEqual([
    { do: "deleteAlias", account, alias: "200" },
    { do: "release", name: "200@example.com" },
    { do: "claim", name: "100@example.com" },
    { do: "insertAlias", account, alias: "100" },
    { do: "saveOwner", owner: ownerOf({ aliases: ["100"] }) },
  ]);
});

test("a disabled user loses its bindings, once", () => {
  const settings = { isEnabled: false, maxContacts: null, displayName: null };
  const bound = world({ ...reconciled, settings, hasBindings: true }, ownerOf());
  expect(does(decide(user({ enabled: false }), bound))).toEqual(["removeBindings"]);
  const unbound = world({ ...reconciled, settings }, ownerOf());
  expect(does(decide(user({ enabled: false }), unbound))).toEqual([]);
});

test.each([
  ["its domain is not there", world({ kind: "absent" }), "DomainNotFound"],
  ["its domain has no rows yet", world({ kind: "unready" }), "DomainNotReady"],
  ["its Secret is not there", world(empty, undefined, { data: {} }), "SecretNotFound"],
  ["the password is empty", world(empty, undefined, { data: { password: "" } }), "InvalidSecret"],
  [
    "the password ends with a line break",
    world(empty, undefined, { data: { password: "a\n" } }),
    "InvalidSecret",
  ],
])("nothing is written while %s", (_why, found, reason) => {
  const { actions, ready } = decide(user(), found);
  expect(actions).toEqual([]);
  expect(ready).toMatchObject({ status: "False", reason });
});

test("a name that another object holds is a Conflict, which names the owner in the same namespace only", () => {
  const near = claim("alice@example.com", { ...reference, name: "other" });
  const far = claim("alice@example.com", { ...reference, namespace: "elsewhere", name: "other" });
  const decided = decide(user(), world({ ...empty, claims: [near] }));
  expect(decided).toMatchObject({ actions: [], ready: { reason: "Conflict" }, requeueAfter: 10_000 });
  expect(decided.ready.message).toContain("SipUser other");
  expect(decide(user(), world({ ...empty, claims: [far] })).ready.message).not.toMatch(/other$|elsewhere/);
});

test("a row that another tool made is a Conflict and is left as it is", () => {
  const row = { username: "alice", domain: "example.com", ha1: "x", ha1Sha256: "" };
  const byName = world({ ...empty, subscribers: [row] });
  const byAlias = world({ ...empty, subscribers: [{ ...row, username: "100" }] });
  const alias = { alias: "100", target: { username: "bob", domain: "example.com" } };
  for (const found of [
    byName,
    byAlias,
    world({ ...empty, aliases: [alias] }),
    world({ ...reconciled, aliases: [alias] }, ownerOf()),
  ]) {
    expect(decide(user({ aliases: ["100"] }), found)).toMatchObject({
      actions: [],
      ready: { reason: "Conflict" },
    });
  }
});

test("an old table that compares without case: Alice of another tool is in alice's way", () => {
  const row = { username: "Alice", domain: "example.com", ha1: "x", ha1Sha256: "" };
  expect(decide(user(), world({ ...empty, subscribers: [row] }))).toMatchObject({
    actions: [],
    ready: { reason: "Conflict" },
  });
});

test("an immutable field that changed all the same writes nothing", () => {
  const kept = ownerOf({ spec: { domainRef: { name: "d" }, username: "bob" }, username: "bob" });
  expect(decide(user(), world(empty, kept))).toMatchObject({
    actions: [],
    ready: { reason: "ImmutableField" },
  });
});

test("a SipDomain that was made anew with another domain takes its users with it", () => {
  const moved = decide(user(), world({ ...empty, domain: "example.org" }, ownerOf()));
  expect(does(moved)).toEqual([
    "deleteSubscriber",
    "removeBindings",
    "release",
    "claim",
    "insertSubscriber",
    "saveSettings",
    "saveOwner",
  ]);
});

test("a password is generated once, and never taken from a Secret that somebody else made", () => {
  const spec = { passwordSecretRef: undefined, generatePassword: true };
  const first = decide(user(spec), { ...world(empty), secret: undefined });
  expect(first.actions).toEqual([
    { do: "generatePassword", secret: "ns/alice-sip-password", key: "password" },
  ]);
  const own = { ...secret, generatedFor: "u1" };
  expect(does(decide(user(spec), world(empty, undefined, own)))).toContain("insertSubscriber");
  expect(decide(user(spec), world(empty))).toMatchObject({
    actions: [],
    ready: { reason: "SecretConflict" },
  });
});

test("hashes are taken as they are from ha1SecretRef, in lower case", () => {
  const spec = { passwordSecretRef: undefined, ha1SecretRef: { name: "s", key: "ha1" } };
  const hashes = { data: { ha1: ha1.toUpperCase(), ha1_sha256: ha1Sha256 } };
  expect(decide(user(spec), world(reconciled, ownerOf(), hashes)).actions).toEqual([]);
  const short = { data: { ha1: "abc" } };
  expect(decide(user(spec), world(empty, undefined, short))).toMatchObject({
    actions: [],
    ready: { reason: "InvalidSecret" },
  });
});

test("removal deletes what was made; Retain only lets go", () => {
  const removal = decideRemoval(ownerOf({ aliases: ["100"] })).map((action) => action.do);
  expect(removal).toEqual(["deleteAlias", "deleteSubscriber", "removeBindings", "removeOwner"]);
  expect(decideRemoval({ ...ownerOf(), deletionPolicy: "Retain" })).toEqual([{ do: "removeOwner" }]);
});

test("a new deletionPolicy is kept in the owner row", () => {
  expect(does(decide(user({ deletionPolicy: "Retain" }), world(reconciled, ownerOf())))).toEqual([
    "saveOwner",
  ]);
});
