/** Removals of a spec take effect although the rest of it is refused (ADR 33). */
import { expect, test } from "vitest";
import { readyOf } from "../../../test/support/operator/ready-of.ts";
import {
  account,
  claim,
  credential,
  decideSeen,
  does,
  empty,
  hash,
  other,
  ownerOf,
  reconciled,
  retained,
  state,
  user,
  withTakenAlias,
} from "../../../test/support/operator/user-states.ts";
import { decide, decideRevocation } from "./decide.ts";

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

test("ADR 33: a user that is disabled together with a new password is switched off", () => {
  const rotated = { ...withTakenAlias, secret: { data: { password: "other" } } };
  const disabled = user({ enabled: false, aliases: ["100", "200", "300"] });
  expect(does(decideSeen(disabled, rotated))).toEqual(["updateSubscriber", "saveSettings", "removeBindings"]);
  expect(decideSeen(disabled, rotated).actions[1]).toMatchObject({ settings: { isEnabled: false } });
});
