/** Each check of a SipDomain has an object that fails it and passes all other checks. */
import { expect, test } from "vitest";
import type { Owner } from "../ownership.ts";
import { runChecks } from "../runtime/check.ts";
import { domainChecks, type DomainCheckInput } from "./checks.ts";
import type { DomainRows } from "./current-state.ts";
import { parseSipDomain, type DomainFields } from "./resource.ts";

const domain = parseSipDomain({
  kind: "SipDomain",
  metadata: { namespace: "ns", name: "d", uid: "u1", generation: 1 },
  spec: { clusterRef: { name: "c" }, domain: "example.com", enabled: true },
});

const ownerWith = (more: Partial<Owner<DomainFields>>): Owner<DomainFields> => ({
  reference: domain.reference,
  uid: "u1",
  generation: 1,
  deletionPolicy: "Delete",
  fields: { spec: domain.immutable, domain: "example.com", realm: "example.com", aliases: [] },
  ...more,
});

const inputWith = (more: Partial<DomainRows>): DomainCheckInput => ({
  domain,
  state: {
    kind: "ready",
    installationId: "i",
    isAllowed: true,
    owner: undefined,
    present: undefined,
    claims: [],
    olderObjects: [],
    domains: [],
    settings: [],
    ...more,
  },
});

const other = { ...domain.reference, name: "other" };
const changedSpec = { ...domain.immutable, realm: "other" };

const failing: Readonly<Record<string, DomainCheckInput>> = {
  "the owner of the rows is known": inputWith({
    owner: ownerWith({ uid: "u0" }),
    present: { is: "unknown", why: "timeout" },
  }),
  "immutable fields are unchanged": inputWith({
    owner: ownerWith({ fields: { ...ownerWith({}).fields, spec: changedSpec } }),
  }),
  "the SipCluster allows the names": inputWith({ isAllowed: false }),
  "no other object has a name": inputWith({
    claims: [{ kind: "domain", name: "example.com", installationId: "i", owner: other }],
  }),
  "no older object requests a name": inputWith({ olderObjects: [{ name: "example.com", owner: other }] }),
  "rows of other tools can be taken over": inputWith({ domains: ["example.com"] }),
};

test.each(domainChecks)("$name: one object fails exactly this check", ({ name }) => {
  const input = failing[name];
  if (input === undefined) throw new Error("add an object that fails this check");
  const failed = domainChecks.filter(({ failure }) => failure(input) !== undefined);
  expect(failed.map((check) => check.name)).toEqual([name]);
  expect(runChecks(domainChecks, input)).toMatchObject({ name, ready: { type: "Ready", status: "False" } });
});

test("an object without a problem passes all checks", () => {
  expect(runChecks(domainChecks, inputWith({}))).toBeUndefined();
});
