/** Decisions about names and rows that belong to another object or tool (design-kubernetes rule 3, ADR 33). */
import { expect, test } from "vitest";
import { readyOf } from "../../../test/support/operator/ready-of.ts";
import {
  claim,
  does,
  empty,
  other,
  ownerOf,
  reconciled,
  reference,
  secret,
  state,
  user,
} from "../../../test/support/operator/user-states.ts";
import { decide } from "./decide.ts";

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
