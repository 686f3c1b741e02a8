/** Decisions about the rows and the password of a SipUser. The other decide-*.test.ts have the other rules. */
import { expect, test } from "vitest";
import { readyOf } from "../../../test/support/operator/ready-of.ts";
import {
  account,
  claim,
  credential,
  decideSeen,
  does,
  empty,
  ha1,
  ha1b,
  ha1bSha256,
  ha1Sha256,
  off,
  ownerOf,
  reconciled,
  retained,
  secret,
  state,
  user,
  withTakenAlias,
} from "../../../test/support/operator/user-states.ts";
import { decide } from "./decide.ts";
import { decideRemoval } from "./remove-rows.ts";

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

test("an enabled user keeps its bindings at every reconcile", () => {
  const bound = state({ ...reconciled, hasBindings: true }, ownerOf());
  expect(decide(user(), bound).actions).toEqual([]);
  const rotated = state({ ...reconciled, hasBindings: true }, ownerOf(), { data: { password: "other" } });
  expect(does(decide(user(), rotated))).not.toContain("removeBindings");
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
