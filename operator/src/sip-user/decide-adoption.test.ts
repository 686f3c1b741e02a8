/** Decisions about rows that another tool made (design-kubernetes rule 5). */
import { expect, test } from "vitest";
import { readyOf } from "../../../test/support/operator/ready-of.ts";
import {
  does,
  empty,
  ha1,
  ownerOf,
  reconciled,
  retained,
  state,
  user,
} from "../../../test/support/operator/user-states.ts";
import type { UserRows } from "./current-state.ts";
import { decide } from "./decide.ts";

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
