/** Decisions about a user whose SipDomain or permission is gone (design-kubernetes rules 2, 4 and 6). */
import { expect, test } from "vitest";
import { readyOf } from "../../../test/support/operator/ready-of.ts";
import {
  does,
  empty,
  off,
  ownerOf,
  reconciled,
  retained,
  state,
  user,
} from "../../../test/support/operator/user-states.ts";
import { decide, decideRevocation } from "./decide.ts";

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
