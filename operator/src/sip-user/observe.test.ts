/** What is said of a user that is observed; that nothing is written is test/parts/operator/kinds-tenants.test.ts. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { observe } from "./observe.ts";
import { parseSipUser } from "./resource.ts";
import type { UserRows } from "./current-state.ts";

const ha1 = createHash("md5").update("alice:realm:secret").digest("hex");
const owner = {
  reference: { kind: "SipUser", namespace: "ns", name: "alice" },
  uid: "earlier",
  generation: 1,
  deletionPolicy: "Delete" as const,
  fields: { spec: {}, username: "alice", domain: "example.com", aliases: ["200"] },
} as unknown as NonNullable<UserRows["owner"]>;

const row = (more: object = {}) => ({
  username: "alice",
  domain: "example.com",
  ha1,
  ha1Sha256: "",
  ha1b: "",
  ha1bSha256: "",
  plain: "",
  ...more,
});

const state = (more: Partial<UserRows> = {}): UserRows => ({
  kind: "ready",
  installationId: "i",
  isAllowed: true,
  owner: undefined,
  present: undefined,
  secret: { data: { password: "secret" } },
  seenSecret: undefined,
  domain: "example.com",
  realm: "realm",
  claims: [],
  olderObjects: [],
  subscribers: [row()],
  settings: { isEnabled: true, maxContacts: 3, displayName: "Alice" },
  aliases: [{ alias: "100", target: { username: "alice", domain: "example.com" } }],
  hasBindings: false,
  ...more,
});

const observed = (spec: object, rows: Partial<UserRows> = {}) => {
  const user = parseSipUser({
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u1", generation: 1 },
    spec: { domainRef: { name: "d" }, username: "alice", enabled: true, adoptionPolicy: "Observe", ...spec },
  });
  return observe(user, state(rows));
};
const said = (spec: object, rows: Partial<UserRows> = {}) => observed(spec, rows).ready.message;

const same = {
  passwordSecretRef: { name: "s", key: "password" },
  displayName: "Alice",
  maxContacts: 3,
  aliases: ["100"],
};
const equal = "alice@example.com is in the database; nothing is written";
const differsIn = (what: string) =>
  `alice@example.com is in the database and differs in ${what}; nothing is written`;

test("a row that matches the spec has no difference; values that the spec does not set are no difference", () => {
  expect(observed(same)).toEqual({
    actions: [],
    ready: { type: "Ready", status: "True", reason: "Observed", message: equal },
    status: { deletionPolicy: "Retain", address: "sip:alice@example.com" },
    requeueAfter: 30_000,
    needsFinalizer: false,
  });
  expect(said({})).toBe(equal);
  expect(said({}, { settings: undefined })).toBe(equal);
});

test("each difference is named separately", () => {
  expect(said({ ...same, enabled: false })).toBe(differsIn("enabled"));
  expect(said({ enabled: false }, { settings: undefined })).toBe(differsIn("enabled"));
  expect(said({ ...same, displayName: "Bob" })).toBe(differsIn("displayName"));
  expect(said({ ...same, maxContacts: 4 })).toBe(differsIn("maxContacts"));
  expect(said({ ...same, maxContacts: 3 }, { settings: undefined })).toBe(
    differsIn("displayName, maxContacts"),
  );
  expect(said({ ...same, aliases: ["100", "101"] })).toBe(differsIn("aliases"));
  const elsewhere = [{ alias: "100", target: { username: "bob", domain: "example.com" } }];
  expect(said(same, { aliases: elsewhere })).toBe(differsIn("aliases"));
  expect(said(same, { subscribers: [row({ ha1: "0".repeat(32) })] })).toBe(differsIn("the password"));
});

test("a password that another tool stored as text is compared; an unreadable Secret is no difference", () => {
  expect(said(same, { subscribers: [row({ ha1: "", plain: "secret" })] })).toBe(equal);
  expect(said(same, { subscribers: [row({ ha1: "", plain: "other" })] })).toBe(differsIn("the password"));
  expect(said(same, { secret: undefined })).toBe(equal);
});

test("without a row of exactly this name the user is not Ready", () => {
  for (const subscribers of [[], [row({ username: "Alice" })]])
    expect(observed(same, { subscribers }).ready).toMatchObject({
      status: "False",
      reason: "NothingToObserve",
      message: "the database has no subscriber alice@example.com; nothing is written",
    });
});

test("rows that it owned are retained for the object that observes now, once", () => {
  expect(observed(same, { owner }).actions).toEqual([
    { do: "saveOwner", owner: { ...owner, uid: "u1", deletionPolicy: "Retain" } },
  ]);
  expect(observed(same, { owner: { ...owner, deletionPolicy: "Retain" } }).actions).toEqual([]);
});
