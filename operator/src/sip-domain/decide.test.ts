import { expect, test } from "vitest";
import type { Claim } from "../ownership.ts";
import { decide, decideRemoval, decideRevocation } from "./decide.ts";
import type { DomainAction } from "./domain-action.ts";
import { parseSipDomain, type SipDomain } from "./resource.ts";
import type { DomainRows } from "./current-state.ts";
import { readyOf } from "../../../test/support/operator/ready-of.ts";

const reference = { kind: "SipDomain", namespace: "ns", name: "d" };

const domain = (spec: object = {}): SipDomain =>
  parseSipDomain({
    kind: "SipDomain",
    metadata: { namespace: "ns", name: "d", uid: "u1", generation: 1 },
    spec: { clusterRef: { name: "c" }, domain: "Example.COM", enabled: true, ...spec },
  });

const empty: DomainRows = {
  kind: "ready",
  installationId: "i",
  isAllowed: true,
  owner: undefined,
  present: undefined,
  claims: [],
  olderObjects: [],
  domains: [],
  settings: [],
};

const claim = (name: string, owner = reference): Claim => ({
  kind: "domain",
  name,
  installationId: "i",
  owner,
});

/** The state once the actions of `decided` are done. */
function after(actions: readonly DomainAction[]): DomainRows {
  const names = (what: DomainAction["do"]) =>
    actions.flatMap((action) => (action.do === what && "name" in action ? [action.name] : []));
  return {
    ...empty,
    owner: actions.flatMap((action) => (action.do === "saveOwner" ? [action.owner] : []))[0],
    claims: names("claim").map((name) => claim(name)),
    domains: names("insertDomain"),
    settings: actions.flatMap((action) => (action.do === "saveSettings" ? [action.row] : [])),
  };
}

test("RFC 3261 §19.1.4: a domain and its aliases are served in lower case", () => {
  const decided = decide(
    domain({ aliases: ["SIP.example.com", "example.com"], registration: { maxExpiresSeconds: 600 } }),
    empty,
  );
  expect(decided.actions.filter(({ do: what }) => what === "insertDomain")).toEqual([
    { do: "insertDomain", name: "example.com" },
    { do: "insertDomain", name: "sip.example.com" },
  ]);
  expect(decided.actions).toContainEqual({
    do: "saveSettings",
    row: expect.objectContaining({
      domain: "example.com",
      aliasOf: null,
      realm: "example.com",
      maxExpires: 600,
      algorithms: null,
    }) as unknown,
  });
  expect(decided.actions).toContainEqual({
    do: "saveSettings",
    row: expect.objectContaining({
      domain: "sip.example.com",
      aliasOf: "example.com",
      maxExpires: null,
    }) as unknown,
  });
  expect(readyOf(decided).status).toBe("True");
});

test("RFC 5079: the setting for anonymous callers is in the domain's row only; without it the node's default applies", () => {
  const saved = (spec: object) =>
    decide(domain({ aliases: ["a.example"], ...spec }), empty).actions.flatMap((action) =>
      action.do === "saveSettings" ? [[action.row.domain, action.row.anonymousCallers]] : [],
    );
  expect(saved({ calls: { anonymousCallers: "Reject" } })).toEqual([
    ["example.com", "Reject"],
    ["a.example", null],
  ]);
  expect(saved({ calls: {} })).toEqual(saved({}));
  expect(saved({})).toContainEqual(["example.com", null]);
  const before = after(decide(domain(), empty).actions);
  expect(decide(domain({ calls: { anonymousCallers: "Reject" } }), before).actions).toEqual([
    { do: "saveSettings", row: expect.objectContaining({ anonymousCallers: "Reject" }) as unknown },
  ]);
});

test("a domain with correct rows needs no action", () => {
  const spec = domain({ aliases: ["a.example"], auth: { algorithms: ["SHA-256", "MD5"] } });
  expect(decide(spec, after(decide(spec, empty).actions)).actions).toEqual([]);
});

test("a removed alias loses its rows and its claim; a disabled domain keeps its rows", () => {
  const before = after(decide(domain({ aliases: ["a.example"] }), empty).actions);
  expect(decide(domain(), before).actions.slice(0, 2)).toEqual([
    { do: "deleteDomain", name: "a.example" },
    { do: "release", name: "a.example" },
  ]);
  const disabled = decide(domain({ enabled: false, aliases: ["a.example"] }), before).actions;
  expect(disabled).toEqual([
    { do: "saveSettings", row: expect.objectContaining({ isEnabled: false }) as unknown },
  ]);
});

test.each([
  ["the cluster does not serve its namespace", { isAllowed: false }, "NotAllowed"],
  [
    "another object has one of its names",
    { claims: [claim("a.example", { ...reference, name: "other" })] },
    "Conflict",
  ],
  [
    "another installation has one of its names",
    { claims: [{ ...claim("a.example"), installationId: "j" }] },
    "Conflict",
  ],
  ["another tool made a domain of its name", { domains: ["example.com"] }, "Conflict"],
  ["another tool made a domain of its alias", { domains: ["a.example"] }, "Conflict"],
] as const)("nothing is written while %s", (_why, state, reason) => {
  const decided = decide(domain({ aliases: ["a.example"] }), { ...empty, ...state });
  expect(decided).toMatchObject({ actions: [], conditions: [{ status: "False", reason }] });
});

test("nothing is written without a cluster and its database", () => {
  expect(decide(domain(), { kind: "absent" })).toMatchObject({
    actions: [],
    conditions: [{ reason: "ClusterNotFound" }],
  });
  expect(decide(domain(), { kind: "unready" })).toMatchObject({
    actions: [],
    conditions: [{ reason: "ClusterNotReady" }],
  });
});

test("nothing is written after a change of an immutable field", () => {
  const before = after(decide(domain(), empty).actions);
  for (const spec of [{ realm: "new" }, { domain: "example.org" }, { clusterRef: { name: "other" } }]) {
    expect(decide(domain(spec), before)).toMatchObject({
      actions: [],
      conditions: [{ reason: "ImmutableField" }],
    });
  }
});

test("removal deletes the rows of all its names; Retain removes only the owner", () => {
  const owner = after(decide(domain({ aliases: ["a.example"] }), empty).actions).owner;
  if (owner === undefined) throw new Error("no owner was saved");
  expect(decideRemoval(owner)).toEqual([
    { do: "deleteDomain", name: "example.com" },
    { do: "deleteDomain", name: "a.example" },
    { do: "removeOwner" },
  ]);
  expect(decideRemoval({ ...owner, deletionPolicy: "Retain" })).toEqual([{ do: "removeOwner" }]);
});

test("rule 2: rows of a namespace that is no longer allowed stay, and serve nobody", () => {
  const before = after(decide(domain({ aliases: ["a.example"] }), empty).actions);
  const out = decide(domain({ aliases: ["a.example"] }), { ...before, isAllowed: false });
  expect(out).toMatchObject({ conditions: [{ status: "False", reason: "NotAllowed" }] });
  expect(out.actions).toEqual([
    {
      do: "saveSettings",
      row: expect.objectContaining({ domain: "example.com", isEnabled: false }) as unknown,
    },
  ]);
  const off = before.settings.map((row) => ({ ...row, isEnabled: false }));
  const again = domain({ aliases: ["a.example"] });
  expect(decide(again, { ...before, settings: off, isAllowed: false }).actions).toEqual([]);
});

test("rule 3: the same name with a new uid takes over once the old uid is proven gone, and not before", () => {
  const before = after(decide(domain(), empty).actions);
  const anew = { ...domain(), uid: "u2" };
  for (const present of [
    undefined,
    { is: "unknown", why: "no answer" },
    { is: "present", uid: "u1" },
    { is: "absent" },
  ] as const) {
    expect(decide(anew, { ...before, present })).toMatchObject({
      actions: [],
      conditions: [{ reason: "OwnerUnproven" }],
      requeueAfter: 10_000,
    });
  }
  const taken = decide(anew, { ...before, present: { is: "present", uid: "u2" } });
  expect(taken.actions).toEqual([
    { do: "saveOwner", owner: expect.objectContaining({ uid: "u2" }) as unknown },
  ]);
});

test("a new object with an old name and another domain: the rows of the old object are removed first, by its own policy", () => {
  const present = { is: "present", uid: "u2" } as const;
  const anew = { ...domain({ domain: "new.example" }), uid: "u2" };
  const made = after(decide(domain(), empty).actions);
  const seen = { ...made, claims: [], domains: [], settings: [], present };
  expect(decide(anew, seen).actions.slice(0, 3)).toEqual([
    { do: "deleteDomain", name: "example.com" },
    { do: "removeOwner" },
    { do: "claim", name: "new.example" },
  ]);
  const kept = after(decide(domain({ deletionPolicy: "Retain" }), empty).actions);
  expect(decide(anew, { ...seen, owner: kept.owner }).actions[0]).toEqual({ do: "removeOwner" });
});

const foreign = (settings: DomainRows["settings"] = []): DomainRows => ({
  ...empty,
  domains: ["example.com"],
  settings,
});

test("rule 5: Observe writes nothing and reports whether there is a row; rows that it owned are not deleted any more", () => {
  const observing = domain({ adoptionPolicy: "Observe" });
  expect(decide(observing, foreign())).toMatchObject({
    actions: [],
    conditions: [{ reason: "Observed", status: "True" }],
  });
  expect(decide(observing, empty)).toMatchObject({
    actions: [],
    conditions: [{ reason: "NothingToObserve" }],
  });
  const own = after(decide(domain(), empty).actions);
  expect(decide(observing, own).actions).toEqual([
    { do: "saveOwner", owner: { ...own.owner, deletionPolicy: "Retain" } },
  ]);
});

test("rule 5: Adopt takes over a row that does not contradict the spec, keeps values that the spec does not set, and retains it", () => {
  const row = {
    ...after(decide(domain({ registration: { maxExpiresSeconds: 99, minExpiresSeconds: 9 } }), empty).actions)
      .settings[0]!,
  };
  const adopting = domain({ adoptionPolicy: "Adopt", registration: { maxExpiresSeconds: 600 } });
  const adopted = decide(adopting, foreign([row]));
  expect(adopted).toMatchObject({
    conditions: [{ status: "True" }],
    status: { deletionPolicy: "Retain" },
    needsFinalizer: false,
  });
  expect(adopted.actions).toEqual([
    { do: "claim", name: "example.com" },
    { do: "saveSettings", row: { ...row, maxExpires: 600 } },
    {
      do: "saveOwner",
      owner: expect.objectContaining({
        deletionPolicy: "Retain",
        fields: expect.objectContaining({ isAdopted: true }) as unknown,
      }) as unknown,
    },
  ]);
  expect(decide(domain({ adoptionPolicy: "Adopt", deletionPolicy: "Delete" }), foreign())).toMatchObject({
    status: { deletionPolicy: "Delete" },
    needsFinalizer: true,
  });
});

test("rule 5: a row that contradicts the spec is a Conflict for Adopt, and is overwritten by Enforce", () => {
  const row = after(decide(domain(), empty).actions).settings[0]!;
  for (const settings of [
    [{ ...row, realm: "theirs" }],
    [{ ...row, realm: null, aliasOf: "other.example" }],
  ]) {
    expect(decide(domain({ adoptionPolicy: "Adopt" }), foreign(settings))).toMatchObject({
      actions: [],
      conditions: [{ reason: "Conflict" }],
    });
    expect(decide(domain({ adoptionPolicy: "Enforce" }), foreign(settings)).actions).toContainEqual({
      do: "saveSettings",
      row,
    });
  }
});

test("an adopted row stays adopted: without a deletionPolicy in the spec it is retained", () => {
  const adopted = after([
    ...decide(domain({ adoptionPolicy: "Adopt" }), foreign()).actions,
    { do: "insertDomain", name: "example.com" },
  ]);
  expect(decide(domain({ adoptionPolicy: "Adopt" }), adopted)).toMatchObject({
    actions: [],
    status: { deletionPolicy: "Retain" },
  });
});

test("rule 2: a pause stops everything except a withdrawn permission", () => {
  const before = after(decide(domain({ registration: { maxExpiresSeconds: 600 } }), empty).actions);
  const changed = domain({ enabled: false, registration: { maxExpiresSeconds: 60 } });
  expect(decideRevocation(changed, before)).toBeUndefined();
  expect(decideRevocation(changed, { kind: "absent" })).toBeUndefined();
  const revoked = decideRevocation(changed, { ...before, isAllowed: false });
  expect(revoked).toMatchObject({ conditions: [{ status: "False", reason: "NotAllowed" }] });
  expect(revoked?.actions).toEqual([
    { do: "saveSettings", row: { ...before.settings[0], isEnabled: false } },
  ]);
  expect(decideRevocation(changed, { ...empty, isAllowed: false })?.actions).toEqual([]);
});

test("rule 2: the domain in the owner row is switched off, although the spec has another domain by now", () => {
  const before = after(decide(domain(), empty).actions);
  const anew = { ...domain({ domain: "new.example" }), uid: "u2" };
  const revoked = decideRevocation(anew, { ...before, isAllowed: false });
  expect(revoked?.actions).toEqual([
    { do: "saveSettings", row: { ...before.settings[0], isEnabled: false } },
  ]);
});

/** Made by two specs of the same object: the rows are the first's, and a name of the second is another object's. */
function refusedAfter(before: object, now: object) {
  const rows = after(decide(domain(before), empty).actions);
  const theirs = claim("taken.example", { ...reference, name: "other" });
  return decide(domain(now), { ...rows, claims: [...rows.claims, theirs] });
}

test("ADR 33: an alias that is no longer listed and `enabled: false` take effect while another alias is refused", () => {
  const both = { aliases: ["a.example", "b.example"] };
  const decided = refusedAfter(both, { enabled: false, aliases: ["b.example", "taken.example"] });
  expect(decided).toMatchObject({
    conditions: [{ reason: "Conflict" }],
    isExpectedChange: true,
    freesName: true,
  });
  expect(decided.actions).toEqual([
    { do: "deleteDomain", name: "a.example" },
    { do: "release", name: "a.example" },
    {
      do: "saveOwner",
      owner: expect.objectContaining({
        fields: expect.objectContaining({ domain: "example.com", aliases: ["b.example"] }) as unknown,
      }) as unknown,
    },
    {
      do: "saveSettings",
      row: expect.objectContaining({ domain: "example.com", isEnabled: false }) as unknown,
    },
  ]);
  const nothing = refusedAfter(both, { aliases: ["a.example", "b.example", "taken.example"] });
  expect(nothing).toMatchObject({ actions: [], freesName: false });
});

test("ADR 33: additions of a refused domain wait: it is not switched on, and no name is claimed", () => {
  const decided = refusedAfter(
    { enabled: false },
    { enabled: true, aliases: ["new.example", "taken.example"] },
  );
  expect(decided.actions).toEqual([]);
});

test("ADR 33: a domain whose namespace is no longer allowed releases the aliases that it no longer lists", () => {
  const rows = after(decide(domain({ aliases: ["a.example"] }), empty).actions);
  const decided = decide(domain(), { ...rows, isAllowed: false });
  expect(decided.actions.map(({ do: what }) => what)).toEqual([
    "deleteDomain",
    "release",
    "saveOwner",
    "saveSettings",
  ]);
  expect(decideRevocation(domain(), { ...rows, isAllowed: false })?.actions).toHaveLength(1);
});

test("ADR 33: an unclaimed name is left to the older object that requests it", () => {
  const elder = { name: "a.example", owner: { ...reference, namespace: "far", name: "older" } };
  const decided = decide(domain({ aliases: ["a.example"] }), { ...empty, olderObjects: [elder] });
  expect(decided).toMatchObject({ actions: [], conditions: [{ reason: "Conflict" }], requeueAfter: 10_000 });
  expect(readyOf(decided).message).not.toContain("older and requests it too, far");
  expect(readyOf(decided).message).not.toContain("SipDomain older");
});

test("a new object with an old name and another realm: the rows of the old object are removed first", () => {
  const present = { is: "present", uid: "u2" } as const;
  const anew = { ...domain({ realm: "new" }), uid: "u2" };
  const decided = decide(anew, { ...after(decide(domain(), empty).actions), present });
  expect(decided.actions.slice(0, 2)).toEqual([
    { do: "deleteDomain", name: "example.com" },
    { do: "removeOwner" },
  ]);
  expect(decided.actions.at(-1)).toMatchObject({
    do: "saveOwner",
    owner: { uid: "u2", fields: { realm: "new" } },
  });
});

test.each([
  ["Retain", "Conflict"],
  ["Delete", "Reconciled"],
] as const)(
  "a new object of an old name with the old domain as its alias: rows to %s mean %s",
  (deletionPolicy, reason) => {
    const made = after(decide(domain({ deletionPolicy }), empty).actions);
    const anew = { ...domain({ domain: "new.example", aliases: ["example.com"] }), uid: "u2" };
    const present = { is: "present", uid: "u2" } as const;
    expect(readyOf(decide(anew, { ...made, present })).reason).toBe(reason);
  },
);

test("a foreign row is not adopted without an adoptionPolicy: it would be deleted with the object", () => {
  expect(decide(domain(), foreign()).status).toEqual({ deletionPolicy: "Delete" });
  expect(decide(domain({ adoptionPolicy: "Adopt" }), foreign()).status).toEqual({ deletionPolicy: "Retain" });
});

test("a limit that is removed from the spec is removed from an own row, and stays in an adopted row", () => {
  const before = after(decide(domain({ registration: { maxExpiresSeconds: 600 } }), empty).actions);
  const settings = { ...before.settings[0], maxExpires: null };
  expect(decide(domain(), before).actions).toEqual([{ do: "saveSettings", row: settings }]);
});
