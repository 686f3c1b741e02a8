import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Claim, Owner } from "../ownership.ts";
import type { Secret } from "../runtime/source.ts";
import { decide, decideRevocation } from "./decide.ts";
import { decideRemoval } from "./remove-rows.ts";
import { parseSipUser, type SipUser, type UserFields } from "./resource.ts";
import type { UserRows } from "./current-state.ts";
import { readyOf } from "../../../test/support/operator/ready-of.ts";

const reference = { kind: "SipUser", namespace: "ns", name: "alice" };
const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");
const ha1 = hash("md5", "alice:realm:secret");
const ha1Sha256 = hash("sha256", "alice:realm:secret");
const ha1b = hash("md5", "alice@example.com:realm:secret");
const ha1bSha256 = hash("sha256", "alice@example.com:realm:secret");
const credential = { ha1, ha1Sha256, ha1b, ha1bSha256 };

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

const empty: UserRows = {
  kind: "ready",
  installationId: "i",
  isAllowed: true,
  owner: undefined,
  present: undefined,
  secret,
  seenSecret: undefined,
  domain: "example.com",
  realm: "realm",
  claims: [],
  olderObjects: [],
  subscribers: [],
  settings: undefined,
  aliases: [],
  hasBindings: false,
};

/** The rows as they are once `user()` was reconciled. */
const reconciled: UserRows = {
  ...empty,
  claims: [claim("alice@example.com")],
  subscribers: [{ username: "alice", domain: "example.com", ...credential, plain: "" }],
  settings: { isEnabled: true, maxContacts: null, displayName: null },
};

const state = (rows: UserRows, owner?: Owner<UserFields>, found: Secret | undefined = secret): UserRows => ({
  ...rows,
  owner,
  secret: found,
});

const does = (decided: ReturnType<typeof decide>): string[] => decided.actions.map((action) => action.do);

test("a new user gets a claim, a subscriber with both hashes, settings and an owner", () => {
  const decided = decide(user(), state(empty));
  const { actions, status } = decided;
  const account = { username: "alice", domain: "example.com" };
  expect(actions).toEqual([
    { do: "claim", name: "alice@example.com" },
    { do: "insertSubscriber", account, credential },
    { do: "saveSettings", account, settings: { isEnabled: true, maxContacts: null, displayName: null } },
    { do: "saveOwner", owner: ownerOf() },
  ]);
  expect(readyOf(decided)).toMatchObject({ status: "True", reason: "Reconciled" });
  expect(status).toEqual({ deletionPolicy: "Delete", address: "sip:alice@example.com" });
});

test("a user with correct rows needs no action", () => {
  expect(decide(user(), state(reconciled, ownerOf())).actions).toEqual([]);
});

test("a rotated password changes the subscriber, and the settings row with the change number for the nodes", () => {
  const rotated = { data: { password: "other" } };
  expect(does(decide(user(), state(reconciled, ownerOf(), rotated)))).toEqual([
    "updateSubscriber",
    "saveSettings",
  ]);
});

test("aliases are added and removed with their claims", () => {
  const found = {
    ...reconciled,
    aliases: [],
    claims: [claim("alice@example.com"), claim("200@example.com")],
  };
  const before = ownerOf({ aliases: ["200"] });
  const account = { username: "alice", domain: "example.com" };
  expect(decide(user({ aliases: ["100"] }), state(found, before)).actions).toEqual([
    { do: "deleteAlias", account, alias: "200" },
    { do: "release", name: "200@example.com" },
    { do: "claim", name: "100@example.com" },
    { do: "insertAlias", account, alias: "100" },
    { do: "saveOwner", owner: ownerOf({ aliases: ["100"] }) },
  ]);
});

test("a disabled user loses its bindings, once", () => {
  const settings = { isEnabled: false, maxContacts: null, displayName: null };
  const bound = state({ ...reconciled, settings, hasBindings: true }, ownerOf());
  expect(does(decide(user({ enabled: false }), bound))).toEqual(["removeBindings"]);
  const unbound = state({ ...reconciled, settings }, ownerOf());
  expect(does(decide(user({ enabled: false }), unbound))).toEqual([]);
});

test.each([
  ["its domain is not there", { kind: "absent" } as const, "DomainNotFound"],
  ["its domain has no rows yet", { kind: "unready" } as const, "DomainNotReady"],
  ["its domain takes no users of its namespace", state({ ...empty, isAllowed: false }), "NotAllowed"],
  ["its Secret has another key", state(empty, undefined, { data: { pass: "x" } }), "SecretKeyNotFound"],
  ["the password is empty", state(empty, undefined, { data: { password: "" } }), "InvalidSecret"],
  [
    "the password ends with a line break",
    state(empty, undefined, { data: { password: "a\n" } }),
    "InvalidSecret",
  ],
])("nothing is written while %s", (_why, found, reason) => {
  const decided = decide(user(), found);
  expect(decided.actions).toEqual([]);
  expect(readyOf(decided)).toMatchObject({ status: "False", reason });
});

test("a name with the claim of another object is a Conflict, which names the owner in the same namespace only", () => {
  const near = claim("alice@example.com", { ...reference, name: "other" });
  const far = claim("alice@example.com", { ...reference, namespace: "elsewhere", name: "other" });
  const decided = decide(user(), state({ ...empty, claims: [near] }));
  expect(decided).toMatchObject({ actions: [], conditions: [{ reason: "Conflict" }], requeueAfter: 10_000 });
  expect(readyOf(decided).message).toContain("SipUser other");
  expect(readyOf(decide(user(), state({ ...empty, claims: [far] }))).message).not.toMatch(/other$|elsewhere/);
});

test("a row that another tool made is a Conflict and stays as it is", () => {
  const row = {
    username: "alice",
    domain: "example.com",
    ha1: "x",
    ha1Sha256: "",
    ha1b: "",
    ha1bSha256: "",
    plain: "",
  };
  const byName = state({ ...empty, subscribers: [row] });
  const byAlias = state({ ...empty, subscribers: [{ ...row, username: "100" }] });
  const alias = { alias: "100", target: { username: "bob", domain: "example.com" } };
  for (const found of [
    byName,
    byAlias,
    state({ ...empty, aliases: [alias] }),
    state({ ...reconciled, aliases: [alias] }, ownerOf()),
  ]) {
    expect(decide(user({ aliases: ["100"] }), found)).toMatchObject({
      actions: [],
      conditions: [{ reason: "Conflict" }],
    });
  }
});

test("an old table that ignores case: Alice of another tool blocks alice", () => {
  const row = {
    username: "Alice",
    domain: "example.com",
    ha1: "x",
    ha1Sha256: "",
    ha1b: "",
    ha1bSha256: "",
    plain: "",
  };
  expect(decide(user(), state({ ...empty, subscribers: [row] }))).toMatchObject({
    actions: [],
    conditions: [{ reason: "Conflict" }],
  });
});

test("nothing is written after a change of an immutable field", () => {
  const kept = ownerOf({ spec: { domainRef: { name: "d" }, username: "bob" }, username: "bob" });
  expect(decide(user(), state(empty, kept))).toMatchObject({
    actions: [],
    conditions: [{ reason: "ImmutableField" }],
  });
});

test("a SipDomain that was created again with another domain moves its users", () => {
  const moved = decide(user(), state({ ...empty, domain: "example.org" }, ownerOf()));
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

test("a password is generated once, and never taken from a Secret that was not generated", () => {
  const spec = { passwordSecretRef: undefined, generatePassword: true };
  const first = decide(user(spec), { ...state(empty), secret: undefined });
  expect(first.actions).toEqual([
    { do: "generatePassword", secret: "ns/alice-sip-password", key: "password" },
  ]);
  const own = { ...secret, generatedFor: "u1" };
  expect(does(decide(user(spec), state(empty, undefined, own)))).toContain("insertSubscriber");
  expect(decide(user(spec), state(empty))).toMatchObject({
    actions: [],
    conditions: [{ reason: "SecretConflict" }],
  });
});

test.each(["constructor", "__proto__"])("a key %s that the Secret does not have is not there", (key) => {
  const spec = { passwordSecretRef: { name: "s", key } };
  expect(decide(user(spec), state(empty))).toMatchObject({ conditions: [{ reason: "SecretKeyNotFound" }] });
});

test("hashes of ha1SecretRef are stored in lower case", () => {
  const spec = { passwordSecretRef: undefined, ha1SecretRef: { name: "s", key: "ha1" } };
  const hashes = { ha1: ha1.toUpperCase(), ha1_sha256: ha1Sha256, ha1b, ha1b_sha256: ha1bSha256 };
  expect(decide(user(spec), state(reconciled, ownerOf(), { data: hashes })).actions).toEqual([]);
  for (const bad of [{ ha1: "abc" }, { ha1, ha1_sha256: ha1 }, { ha1, ha1b: "x" }, { ha1, ha1b_sha256: ha1 }])
    expect(decide(user(spec), state(empty, undefined, { data: bad }))).toMatchObject({
      actions: [],
      conditions: [{ reason: "InvalidSecret" }],
    });
});

test("a hash for the login name with the domain that is absent, or of an earlier password, is written again", () => {
  for (const row of [{ ha1b: "" }, { ha1b: "old" }, { ha1bSha256: "old" }]) {
    const subscribers = reconciled.subscribers.map((one) => ({ ...one, ...row }));
    expect(decide(user(), state({ ...reconciled, subscribers }, ownerOf())).actions).toContainEqual({
      do: "updateSubscriber",
      account: { username: "alice", domain: "example.com" },
      credential,
    });
  }
});

test("removal deletes the rows; Retain removes only the owner", () => {
  const removal = decideRemoval(ownerOf({ aliases: ["100"] })).map((action) => action.do);
  expect(removal).toEqual(["deleteAlias", "deleteSubscriber", "removeBindings", "removeOwner"]);
  expect(decideRemoval({ ...ownerOf(), deletionPolicy: "Retain" })).toEqual([{ do: "removeOwner" }]);
});

test("a new deletionPolicy is written to the owner row", () => {
  expect(does(decide(user({ deletionPolicy: "Retain" }), state(reconciled, ownerOf())))).toEqual([
    "saveOwner",
  ]);
});

test("rule 2: rows of a namespace that is no longer allowed stay, and nobody can log in with them", () => {
  const out = decide(user(), { ...state(reconciled, ownerOf()), isAllowed: false, hasBindings: true });
  expect(readyOf(out)).toMatchObject({ status: "False", reason: "NotAllowed" });
  expect(out.actions).toEqual([
    {
      do: "saveSettings",
      account: { username: "alice", domain: "example.com" },
      settings: { isEnabled: false, maxContacts: null, displayName: null },
    },
    { do: "removeBindings", account: { username: "alice", domain: "example.com" } },
  ]);
});

test("rule 3: the same name with a new uid takes over once the old uid is proven gone, and not before", () => {
  const anew = { ...user(), uid: "u2" };
  for (const present of [
    { is: "unknown", why: "x" },
    { is: "present", uid: "u1" },
    { is: "absent" },
  ] as const)
    expect(decide(anew, { ...state(reconciled, ownerOf()), present })).toMatchObject({
      actions: [],
      conditions: [{ reason: "OwnerUnproven" }],
    });
  const heir = decide(anew, { ...state(reconciled, ownerOf()), present: { is: "present", uid: "u2" } });
  expect(heir.actions).toEqual([{ do: "saveOwner", owner: { ...ownerOf(), uid: "u2" } }]);
});

test("a new object with an old name and another username: the rows of the old object are removed first", () => {
  const anew = { ...user({ username: "carol" }), uid: "u2" };
  const present = { is: "present", uid: "u2" } as const;
  const decided = decide(anew, { ...state(empty, ownerOf({ aliases: ["100"] })), present });
  expect(does(decided)).toEqual([
    "deleteAlias",
    "deleteSubscriber",
    "removeBindings",
    "removeOwner",
    "claim",
    "insertSubscriber",
    "saveSettings",
    "saveOwner",
  ]);
});

test("a restored object keeps the password that was generated for the earlier object", () => {
  const spec = { passwordSecretRef: undefined, generatePassword: true };
  const anew = { ...user(spec), uid: "u2" };
  const present = { is: "present", uid: "u2" } as const;
  const kept = { ...secret, generatedFor: "u1" };
  const heir = decide(anew, { ...state(reconciled, ownerOf({ generatedFor: "u1" }), kept), present });
  expect(heir).toMatchObject({ conditions: [{ status: "True" }] });
  expect(heir.actions).toEqual([
    { do: "saveOwner", owner: { ...ownerOf({ generatedFor: "u1" }), uid: "u2" } },
  ]);
});

/** A row that another tool made, with another password or the plain one. */
const theirs = (row: object = {}, more: Partial<UserRows> = {}): UserRows => ({
  ...empty,
  subscribers: [
    {
      username: "alice",
      domain: "example.com",
      ha1: "other",
      ha1Sha256: "",
      ha1b: "",
      ha1bSha256: "",
      plain: "",
      ...row,
    },
  ],
  ...more,
});

test("rule 5: Observe writes nothing and reports the differences of the row; rows that it owned are not deleted any more", () => {
  const observing = user({ adoptionPolicy: "Observe", maxContacts: 3 });
  const seen = decide(observing, theirs());
  expect(seen).toMatchObject({ actions: [], conditions: [{ status: "True", reason: "Observed" }] });
  expect(readyOf(seen).message).toContain("differs in the password, maxContacts");
  expect(decide(observing, empty)).toMatchObject({
    actions: [],
    conditions: [{ reason: "NothingToObserve" }],
  });
  expect(decide(observing, state(reconciled, ownerOf())).actions).toEqual([
    { do: "saveOwner", owner: { ...ownerOf(), deletionPolicy: "Retain" } },
  ]);
});

test("rule 5: Adopt without a credential keeps the password and values that the spec does not set, and retains the row", () => {
  const spec = { passwordSecretRef: undefined, adoptionPolicy: "Adopt", displayName: "Alice" };
  const settings = { isEnabled: true, maxContacts: 7, displayName: null };
  const adopted = decide(user(spec), theirs({}, { settings, secret: undefined }));
  expect(adopted.actions).toEqual([
    { do: "claim", name: "alice@example.com" },
    {
      do: "saveSettings",
      account: { username: "alice", domain: "example.com" },
      settings: { ...settings, displayName: "Alice" },
    },
    { do: "saveOwner", owner: { ...ownerOf({ isAdopted: true }), deletionPolicy: "Retain" } },
  ]);
  expect(adopted).toMatchObject({ status: { deletionPolicy: "Retain" }, needsFinalizer: false });
  expect(decide(user(spec), { ...empty, secret: undefined })).toMatchObject({
    actions: [],
    conditions: [{ reason: "CredentialMissing" }],
  });
});

test("rule 5: Adopt takes over a row with the same password, stored as a hash or plain, and no other", () => {
  const adopting = user({ adoptionPolicy: "Adopt" });
  for (const row of [{ ha1 }, { ha1: "", plain: "secret" }])
    expect(does(decide(adopting, theirs(row)))).toEqual([
      "claim",
      "updateSubscriber",
      "saveSettings",
      "saveOwner",
    ]);
  expect(decide(adopting, theirs())).toMatchObject({ actions: [], conditions: [{ reason: "Conflict" }] });
  const generating = user({ passwordSecretRef: undefined, generatePassword: true, adoptionPolicy: "Adopt" });
  expect(decide(generating, theirs({}, { secret: undefined }))).toMatchObject({
    actions: [],
    conditions: [{ reason: "Conflict" }],
  });
});

test("rule 5: Enforce overwrites the password, the settings and the target of an alias", () => {
  const elsewhere = { alias: "100", target: { username: "bob", domain: "example.com" } };
  const settings = { isEnabled: false, maxContacts: 7, displayName: "x" };
  const enforced = decide(
    user({ adoptionPolicy: "Enforce", aliases: ["100"] }),
    theirs({}, { aliases: [elsewhere], settings }),
  );
  expect(does(enforced)).toEqual([
    "deleteAlias",
    "claim",
    "claim",
    "updateSubscriber",
    "saveSettings",
    "insertAlias",
    "saveOwner",
  ]);
  expect(enforced.actions[0]).toEqual({ do: "deleteAlias", account: elsewhere.target, alias: "100" });
  expect(enforced.status).toMatchObject({ deletionPolicy: "Retain" });
  const hidden = { ...theirs().subscribers[0]!, username: "100" };
  expect(
    decide(user({ adoptionPolicy: "Enforce", aliases: ["100"] }), { ...empty, subscribers: [hidden] }),
  ).toMatchObject({ actions: [], conditions: [{ reason: "Conflict" }] });
});

test("rule 6: an adopted row with the policy Delete needs the finalizer; an own row needs it by default", () => {
  const spec = { passwordSecretRef: undefined, adoptionPolicy: "Adopt" };
  const rows = theirs({}, { secret: undefined });
  expect(decide(user({ ...spec, deletionPolicy: "Delete" }), rows).needsFinalizer).toBe(true);
  expect(decide(user(), empty).needsFinalizer).toBe(true);
  expect(decide(user({ deletionPolicy: "Retain" }), empty).needsFinalizer).toBe(false);
});

test("a password that may have been rotated is no drift; a row that another program changed is", () => {
  const numbered = { ...secret, resourceVersion: "8" };
  const stale = reconciled.subscribers.map((row) => ({ ...row, ha1: "old" }));
  const rows = { ...state({ ...reconciled, subscribers: stale }, ownerOf()), secret: numbered };
  expect(decide(user(), { ...rows, seenSecret: "7" }).isExpectedChange).toBe(true);
  expect(decide(user(), { ...rows, seenSecret: "8" }).isExpectedChange).toBe(false);
  expect(decide(user(), { ...rows, seenSecret: "8" }).status).toMatchObject({ secretResourceVersion: "8" });
  expect(decide(user(), { ...rows, seenSecret: "7", subscribers: [] }).isExpectedChange).toBe(false);
});

test("a Secret that is not watched: the message says so, and a missing one is read again", () => {
  const quiet = { ...secret, isWatched: false };
  expect(readyOf(decide(user(), state(empty, undefined, quiet))).message).toContain(
    "sip.strowger.dev/watch=true",
  );
  expect(decide(user(), { ...empty, secret: undefined })).toMatchObject({
    conditions: [{ reason: "SecretNotFound" }],
    requeueAfter: 30_000,
  });
});

const account = { username: "alice", domain: "example.com" };
const off = {
  do: "saveSettings",
  account,
  settings: { isEnabled: false, maxContacts: 2, displayName: null },
};
const retained = {
  owner: ownerOf(),
  settings: { isEnabled: true, maxContacts: 2, displayName: null },
  hasBindings: true,
};

test.each([
  ["absent", "DomainNotFound"],
  ["unready", "DomainNotReady"],
] as const)("rules 2, 6: rows of a domain that is withdrawn (%s) serve nobody, once", (kind, reason) => {
  const decided = decide(user(), { kind, retained, isWithdrawn: true });
  expect(decided.actions).toEqual([off, { do: "removeBindings", account }]);
  expect(readyOf(decided)).toMatchObject({ status: "False", reason });
  const isOff = { ...retained, settings: { ...retained.settings, isEnabled: false }, hasBindings: false };
  expect(decide(user(), { kind, retained: isOff, isWithdrawn: true }).actions).toEqual([]);
});

test("rule 6: an adopted row is switched off with its domain too, and is still retained", () => {
  const owner = { ...ownerOf({ isAdopted: true }), deletionPolicy: "Retain" as const };
  const adopting = user({ adoptionPolicy: "Adopt" });
  const decided = decide(adopting, { kind: "absent", retained: { ...retained, owner }, isWithdrawn: true });
  expect(does(decided)).toEqual(["saveSettings", "removeBindings"]);
  expect(decided.status).toEqual({ deletionPolicy: "Retain" });
});

test("rule 4: a domain that could not be read does not switch its users off, and is read again", () => {
  const decided = decide(user(), { kind: "absent", retained, isWithdrawn: false, isUnknown: true });
  expect(decided).toMatchObject({
    actions: [],
    conditions: [{ reason: "DomainNotFound" }],
    requeueAfter: 10_000,
  });
  expect(decide(user(), { kind: "unready", retained, isWithdrawn: false }).actions).toEqual([]);
});

test("rule 6: a user is restored with its domain, and no other row changes", () => {
  const settings = { isEnabled: false, maxContacts: null, displayName: null };
  expect(does(decide(user(), state({ ...reconciled, settings }, ownerOf())))).toEqual(["saveSettings"]);
});

test("rule 2: a pause stops everything except a withdrawn permission", () => {
  const rows = { ...state(reconciled, ownerOf()), secret: undefined };
  expect(decideRevocation(user({ enabled: false }), rows)).toBeUndefined();
  expect(decideRevocation(user(), { kind: "unready", retained, isWithdrawn: false })).toBeUndefined();
  expect(decideRevocation(user(), { kind: "absent", retained, isWithdrawn: true })?.actions).toHaveLength(2);
  const revoked = decideRevocation(user(), { ...rows, isAllowed: false });
  expect(revoked?.actions).toEqual([{ ...off, settings: { ...off.settings, maxContacts: null } }]);
  expect(revoked && readyOf(revoked)).toMatchObject({ status: "False", reason: "NotAllowed" });
});

test("rule 2: the account in the owner row is switched off, although its SipDomain has another domain by now", () => {
  const rows = { ...state(empty, ownerOf()), domain: "example.org", isAllowed: false };
  expect(decide(user(), rows).actions).toEqual([
    { ...off, settings: { ...off.settings, maxContacts: null } },
  ]);
});

const other = { ...reference, name: "other" };

/** The rows of `user({ aliases: ["100", "200"] })`, while another object has 300. */
const withTakenAlias: UserRows = {
  ...reconciled,
  owner: ownerOf({ aliases: ["100", "200"] }),
  claims: [
    ...["alice", "100", "200"].map((name) => claim(`${name}@example.com`)),
    claim("300@example.com", other),
  ],
  aliases: ["100", "200"].map((alias) => ({ alias, target: account })),
  hasBindings: true,
};

/** Only rows with a name of the spec are read. */
function seenBy(wants: SipUser, rows: UserRows): UserRows {
  const names = [wants.username, ...wants.aliases];
  const isSeen = (name: string): boolean =>
    names.some((one) => name === one || name === `${one}@example.com`);
  return {
    ...rows,
    claims: rows.claims.filter(({ name }) => isSeen(name)),
    aliases: rows.aliases.filter(({ alias }) => isSeen(alias)),
  };
}

const decideSeen = (wants: SipUser, rows: UserRows) => decide(wants, seenBy(wants, rows));

const switchedOff = { isEnabled: false, maxContacts: null, displayName: null };

test("ADR 33: `enabled: false` takes effect while an alias is another object's, once", () => {
  const disabled = user({ enabled: false, aliases: ["100", "200", "300"] });
  const decided = decideSeen(disabled, withTakenAlias);
  expect(decided).toMatchObject({
    conditions: [{ reason: "Conflict" }],
    isExpectedChange: true,
    freesName: false,
  });
  expect(decided.actions).toEqual([
    { do: "saveSettings", account, settings: switchedOff },
    { do: "removeBindings", account },
  ]);
  const isOff = { ...withTakenAlias, settings: switchedOff, hasBindings: false };
  expect(decideSeen(disabled, isOff).actions).toEqual([]);
});

test("ADR 33: a rotated password takes effect while an alias is another object's, and leaves the rest of the row", () => {
  const rotated = { ...withTakenAlias, secret: { data: { password: "other" } } };
  const wants = user({ aliases: ["100", "200", "300"], maxContacts: 9 });
  const [plain, atDomain] = ["alice:realm:other", "alice@example.com:realm:other"] as const;
  const hashes = {
    ha1: hash("md5", plain),
    ha1Sha256: hash("sha256", plain),
    ha1b: hash("md5", atDomain),
    ha1bSha256: hash("sha256", atDomain),
  };
  expect(decideSeen(wants, rotated).actions).toEqual([
    { do: "updateSubscriber", account, credential: hashes },
    { do: "saveSettings", account, settings: { isEnabled: true, maxContacts: null, displayName: null } },
  ]);
  expect(decideSeen(wants, { ...rotated, settings: switchedOff }).actions.at(-1)).toEqual({
    do: "saveSettings",
    account,
    settings: switchedOff,
  });
  expect(decideSeen(wants, withTakenAlias).actions).toEqual([]);
});

test("ADR 33: so does a hash of an earlier password for the login name with the domain", () => {
  const subscribers = reconciled.subscribers.map((row) => ({ ...row, ha1b: "old" }));
  const wants = user({ aliases: ["100", "200", "300"] });
  expect(decideSeen(wants, { ...withTakenAlias, subscribers }).actions).toContainEqual({
    do: "updateSubscriber",
    account,
    credential,
  });
});

test("ADR 33: an alias that is no longer listed is removed with its name while another alias is refused", () => {
  const decided = decideSeen(user({ aliases: ["200", "300"] }), withTakenAlias);
  expect(decided).toMatchObject({ conditions: [{ reason: "Conflict" }], freesName: true });
  expect(decided.actions).toEqual([
    { do: "deleteAlias", account, alias: "100" },
    { do: "release", name: "100@example.com" },
    { do: "saveOwner", owner: ownerOf({ aliases: ["200"] }) },
  ]);
});

test.each([
  ["its Secret is missing", { secret: undefined }, {}, "SecretNotFound"],
  ["its Secret lacks the key", { secret: { data: {} } }, {}, "SecretKeyNotFound"],
  ["its Secret could not be read", { secret: undefined, secretFailure: new Error("x") }, {}, "InternalError"],
  ["it lists an alias twice", {}, { aliases: ["200", "200"] }, "Conflict"],
  [
    "a password is yet to be made",
    { secret: undefined },
    { passwordSecretRef: undefined, generatePassword: true },
    "GeneratingPassword",
  ],
] as const)(
  "ADR 33: what the spec takes away goes while %s, and nothing else does",
  (_why, rows, spec, reason) => {
    const found = { ...withTakenAlias, ...rows };
    const decided = decideSeen(user({ enabled: false, aliases: ["200"], ...spec }), found);
    expect(readyOf(decided).reason).toBe(reason);
    expect(does(decided).filter((action) => action !== "generatePassword")).toEqual([
      "deleteAlias",
      "release",
      "saveOwner",
      "saveSettings",
      "removeBindings",
    ]);
    const same = decideSeen(user({ aliases: ["100", "200"], ...spec }), found);
    if (reason !== "Conflict")
      expect(does(same).filter((action) => action !== "generatePassword")).toEqual([]);
  },
);

test("ADR 33: an earlier password stops working when its Secret changes to an unusable value", () => {
  const broken = { ...withTakenAlias, secret: { data: { password: "a\n" } } };
  const decided = decideSeen(user({ aliases: ["100", "200"] }), broken);
  expect(readyOf(decided).reason).toBe("InvalidSecret");
  expect(does(decided)).toEqual(["saveSettings", "removeBindings"]);
  const conflict = decideSeen(user({ aliases: ["100", "200", "300"] }), broken);
  expect(does(conflict)).toEqual(["saveSettings", "removeBindings"]);
});

test("ADR 33: additions of a refused user wait: it is not switched on, and no name is claimed", () => {
  const isOff = { ...withTakenAlias, settings: switchedOff, hasBindings: false };
  expect(decideSeen(user({ aliases: ["100", "200", "300", "400"] }), isOff).actions).toEqual([]);
});

test("ADR 33: removals in the spec are carried out while the domain is not served, and not during a pause", () => {
  const owner = ownerOf({ aliases: ["100", "200"] });
  const waits = { kind: "unready", retained: { ...retained, owner }, isWithdrawn: false } as const;
  const less = user({ enabled: false, aliases: ["200"] });
  expect(does(decide(less, waits))).toEqual([
    "deleteAlias",
    "release",
    "saveOwner",
    "saveSettings",
    "removeBindings",
  ]);
  expect(decide({ ...less, uid: "u2" }, waits).actions).toEqual([]);
  expect(does(decide(user({ aliases: ["200"] }), { ...waits, isWithdrawn: true }))).toEqual([
    "deleteAlias",
    "release",
    "saveOwner",
    "saveSettings",
    "removeBindings",
  ]);
  const paused = decideRevocation(less, { ...waits, isWithdrawn: true });
  expect(paused?.actions.map((action) => action.do)).toEqual(["saveSettings", "removeBindings"]);
});

test("ADR 33: a user whose namespace is no longer allowed releases the aliases that it no longer lists", () => {
  const out = { ...withTakenAlias, isAllowed: false };
  expect(does(decideSeen(user({ aliases: ["200"] }), out))).toEqual([
    "deleteAlias",
    "release",
    "saveOwner",
    "saveSettings",
    "removeBindings",
  ]);
  const paused = decideRevocation(user({ aliases: ["200"] }), out);
  expect(paused?.actions.map((action) => action.do)).toEqual(["saveSettings", "removeBindings"]);
});

test("ADR 33: the rows in an old domain are removed although another object has the name in the new domain", () => {
  const taken = [claim("alice@example.org", other)];
  const moved = decide(user(), { ...state(empty, ownerOf()), domain: "example.org", claims: taken });
  expect(readyOf(moved).reason).toBe("Conflict");
  expect(does(moved)).toEqual(["deleteSubscriber", "removeBindings", "release", "removeOwner"]);
});

test("ADR 33: a change of an immutable field removes nothing from another account", () => {
  const keptSpec = ownerOf({ spec: { domainRef: { name: "d" }, username: "bob" }, username: "bob" });
  expect(decide(user({ enabled: false }), state(empty, keptSpec)).actions).toEqual([]);
});

test("ADR 33: an unclaimed name is left to the older object that requests it, which is named in the same namespace only", () => {
  const elder = { name: "alice@example.com", owner: other };
  const decided = decide(user(), state({ ...empty, olderObjects: [elder] }));
  expect(decided).toMatchObject({ actions: [], conditions: [{ reason: "Conflict" }], requeueAfter: 10_000 });
  expect(readyOf(decided).message).toContain("SipUser other");
  const far = { ...elder, owner: { ...other, namespace: "elsewhere" } };
  expect(readyOf(decide(user(), state({ ...empty, olderObjects: [far] }))).message).not.toMatch(
    /other,|elsewhere/,
  );
});

test("an enabled user keeps its bindings at every reconcile", () => {
  const bound = state({ ...reconciled, hasBindings: true }, ownerOf());
  expect(decide(user(), bound).actions).toEqual([]);
  const rotated = state({ ...reconciled, hasBindings: true }, ownerOf(), { data: { password: "other" } });
  expect(does(decide(user(), rotated))).not.toContain("removeBindings");
});

test("rule 6: retained rows stay in the old domain when a SipDomain was created again with another domain", () => {
  const retained = { ...ownerOf({ aliases: ["100"] }), deletionPolicy: "Retain" as const };
  const moved = decide(
    user({ deletionPolicy: "Retain" }),
    state({ ...empty, domain: "example.org" }, retained),
  );
  expect(does(moved)).toEqual([
    "release",
    "release",
    "claim",
    "insertSubscriber",
    "saveSettings",
    "saveOwner",
  ]);
  expect(moved.actions.slice(0, 2)).toEqual([
    { do: "release", name: "alice@example.com" },
    { do: "release", name: "100@example.com" },
  ]);
});

test.each([
  ["the MD5 hash alone", { ha1: "other" }],
  ["the SHA-256 hash alone", { ha1Sha256: "other" }],
  ["the hash for the login name with the domain alone", { ha1b: "other" }],
  ["a plain password beside the hashes", { plain: "secret" }],
])("a row that differs in %s is put right, while the rest is refused too", (_what, difference) => {
  const subscribers = reconciled.subscribers.map((row) => ({ ...row, ...difference }));
  const updated = { do: "updateSubscriber", account, credential };
  expect(decide(user(), state({ ...reconciled, subscribers }, ownerOf())).actions[0]).toEqual(updated);
  const refused = decideSeen(user({ aliases: ["100", "200", "300"] }), { ...withTakenAlias, subscribers });
  expect(refused.actions[0]).toEqual(updated);
});

test("ADR 33: a user that is disabled together with a new password is switched off", () => {
  const rotated = { ...withTakenAlias, secret: { data: { password: "other" } } };
  const disabled = user({ enabled: false, aliases: ["100", "200", "300"] });
  expect(does(decideSeen(disabled, rotated))).toEqual(["updateSubscriber", "saveSettings", "removeBindings"]);
  expect(decideSeen(disabled, rotated).actions[1]).toMatchObject({ settings: { isEnabled: false } });
});

test("a new object with an old name and another username: its password is generated before the old rows are removed", () => {
  const spec = { username: "carol", passwordSecretRef: undefined, generatePassword: true };
  const anew = { ...user(spec), uid: "u2" };
  const present = { is: "present", uid: "u2" } as const;
  expect(does(decide(anew, { ...empty, owner: ownerOf(), secret: undefined, present }))).toEqual([
    "generatePassword",
  ]);
});

test("without versions of Secrets a changed credential is no drift", () => {
  const stale = reconciled.subscribers.map((row) => ({ ...row, ha1: "old" }));
  expect(decide(user(), state({ ...reconciled, subscribers: stale }, ownerOf())).isExpectedChange).toBe(true);
});

test("rule 5: Observe writes nothing, also while the domain is not served", () => {
  const observing = user({ adoptionPolicy: "Observe", enabled: false });
  expect(decide(observing, { kind: "unready", retained, isWithdrawn: false }).actions).toEqual([]);
});

test("rule 5: an alias of the same username in another domain belongs to another account", () => {
  const elsewhere = { alias: "100", target: { username: "alice", domain: "other.example" } };
  const rows = theirs({ ha1 }, { aliases: [elsewhere] });
  const adopting = decide(user({ adoptionPolicy: "Adopt", aliases: ["100"] }), rows);
  expect(adopting).toMatchObject({ actions: [], conditions: [{ reason: "Conflict" }] });
  const enforcing = decide(user({ adoptionPolicy: "Enforce", aliases: ["100"] }), rows);
  expect(enforcing.actions[0]).toEqual({ do: "deleteAlias", account: elsewhere.target, alias: "100" });
});

test.each([
  ["Retain", "Conflict"],
  ["Delete", "Reconciled"],
] as const)(
  "a new object of an old name that calls itself as the old account: rows to %s mean %s",
  (deletionPolicy, reason) => {
    const spec = { username: "carol", aliases: ["alice"] };
    const anew = { ...user(spec), uid: "u2" };
    const owner = { ...ownerOf(), deletionPolicy };
    const present = { is: "present", uid: "u2" } as const;
    expect(readyOf(decide(anew, { ...state(reconciled, owner), present })).reason).toBe(reason);
  },
);
