import { expect, test } from "vitest";
import type { Claim } from "../ownership.ts";
import { decide, decideRemoval, type DomainAction } from "./decide.ts";
import { parseSipDomain, type SipDomain } from "./resource.ts";
import type { DomainWorld } from "./world.ts";

const reference = { kind: "SipDomain", namespace: "ns", name: "d" };

const domain = (spec: object = {}): SipDomain =>
  parseSipDomain({
    kind: "SipDomain",
    metadata: { namespace: "ns", name: "d", uid: "u1", generation: 1 },
    spec: { clusterRef: { name: "c" }, domain: "Example.COM", enabled: true, ...spec },
  });

const empty: DomainWorld = {
  installationId: "i",
  cluster: "ready",
  owner: undefined,
  claims: [],
  domains: [],
  settings: [],
};

const claim = (name: string, owner = reference): Claim => ({
  kind: "domain",
  name,
  installationId: "i",
  owner,
});

/** The world once the actions of `decided` are done. */
function after(actions: readonly DomainAction[]): DomainWorld {
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

test("RFC 3261 §19.1.4: a domain is served in lower case, with its aliases beside it", () => {
  const { actions, ready } = decide(
    domain({ aliases: ["SIP.example.com", "example.com"], registration: { maxExpires: 600 } }),
    empty,
  );
  expect(actions.filter(({ do: what }) => what === "insertDomain")).toEqual([
    { do: "insertDomain", name: "example.com" },
    { do: "insertDomain", name: "sip.example.com" },
  ]);
  expect(actions).toContainEqual({
    do: "saveSettings",
    row: expect.objectContaining({
      domain: "example.com",
      aliasOf: null,
      realm: "example.com",
      maxExpires: 600,
      algorithms: null,
    }) as unknown,
  });
  expect(actions).toContainEqual({
    do: "saveSettings",
    row: expect.objectContaining({
      domain: "sip.example.com",
      aliasOf: "example.com",
      maxExpires: null,
    }) as unknown,
  });
  expect(ready.status).toBe("True");
});

test("a domain whose rows are as they should be needs nothing", () => {
  const spec = domain({ aliases: ["a.example"], auth: { algorithms: ["SHA-256", "MD5"] } });
  expect(decide(spec, after(decide(spec, empty).actions)).actions).toEqual([]);
});

test("an alias that is gone loses its rows and its claim; a domain that is disabled keeps its rows", () => {
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
  ["its cluster is not there", { cluster: "absent" }, "ClusterNotFound"],
  ["the database is not its cluster's", { cluster: "unready" }, "ClusterNotReady"],
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
] as const)("nothing is written while %s", (_why, world, reason) => {
  const decided = decide(domain({ aliases: ["a.example"] }), { ...empty, ...world });
  expect(decided).toMatchObject({ actions: [], ready: { status: "False", reason } });
});

test("an immutable field that changed all the same writes nothing", () => {
  const before = after(decide(domain(), empty).actions);
  for (const spec of [{ realm: "new" }, { domain: "example.org" }, { clusterRef: { name: "other" } }]) {
    expect(decide(domain(spec), before)).toMatchObject({ actions: [], ready: { reason: "ImmutableField" } });
  }
});

test("removal deletes the rows of all its names; Retain only lets go", () => {
  const owner = after(decide(domain({ aliases: ["a.example"] }), empty).actions).owner;
  if (owner === undefined) throw new Error("no owner was saved");
  expect(decideRemoval(owner)).toEqual([
    { do: "deleteDomain", name: "example.com" },
    { do: "deleteDomain", name: "a.example" },
    { do: "removeOwner" },
  ]);
  expect(decideRemoval({ ...owner, deletionPolicy: "Retain" })).toEqual([{ do: "removeOwner" }]);
});
