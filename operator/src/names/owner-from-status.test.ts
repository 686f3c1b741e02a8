import { expect, test } from "vitest";
import type { KubernetesObject } from "../runtime/object.ts";
import { domainOwnerFromStatus } from "../sip-domain/owner-from-status.ts";
import { parseSipDomain } from "../sip-domain/resource.ts";
import { userOwnerFromStatus } from "../sip-user/owner-from-status.ts";
import { parseSipUser } from "../sip-user/resource.ts";

const condition = (more: object = {}) => ({
  ...{ type: "Ready", status: "True", reason: "Reconciled", message: "", lastTransitionTime: "" },
  ...{ observedGeneration: 1, ...more },
});
const user = (status: object, spec: object = {}): KubernetesObject => ({
  kind: "SipUser",
  metadata: { namespace: "ns", name: "alice", uid: "u1", generation: 3 },
  spec: { domainRef: { name: "d" }, username: "alice", aliases: ["200", "300"], enabled: true, ...spec },
  status,
});
const status = (more: object = {}) => ({
  ...{ conditions: [condition()], address: "sip:alice@example.com", deletionPolicy: "Delete", ...more },
});
const claim = (kind: "user" | "domain", name: string, owner: string) => ({
  ...{ kind, name, installationId: "i" },
  owner: { kind: kind === "user" ? "SipUser" : "SipDomain", namespace: "ns", name: owner },
});
const rows = {
  ...{ installationId: "i", claims: [] as ReturnType<typeof claim>[] },
  domain: "example.com",
  subscribers: [
    { username: "alice", domain: "example.com", ha1: "", ha1Sha256: "", ha1b: "", ha1bSha256: "", plain: "" },
  ],
  aliases: [
    { alias: "200", target: { username: "alice", domain: "example.com" } },
    { alias: "300", target: { username: "bob", domain: "example.com" } },
  ],
};
const userOwner = (object: KubernetesObject, found: Partial<typeof rows> = {}) =>
  userOwnerFromStatus(parseSipUser(object), object, { ...rows, ...found });

test("a user that was Ready with this address owns the existing rows and aliases", () => {
  expect(userOwner(user(status()))).toMatchObject({
    uid: "u1",
    deletionPolicy: "Delete",
    fields: { username: "alice", domain: "example.com", aliases: ["200"] },
  });
});

test("a user that waits for its domain owns them if it had a stored credential before", () => {
  const waiting = [condition({ status: "False", reason: "DomainNotReady" })];
  expect(userOwner(user(status({ conditions: waiting, secretResourceVersion: "7" })))).toBeDefined();
  expect(userOwner(user(status({ conditions: waiting })))).toBeUndefined();
  const refused = [condition({ status: "False", reason: "Conflict" })];
  expect(userOwner(user(status({ conditions: refused, secretResourceVersion: "7" })))).toBeUndefined();
});

test("adopted rows stay adopted; a spec with Retain does not prove an adoption", () => {
  const retained = status({ deletionPolicy: "Retain" });
  expect(userOwner(user(retained))).toMatchObject({ deletionPolicy: "Retain", fields: { isAdopted: true } });
  expect(userOwner(user(retained, { deletionPolicy: "Retain" }))?.fields.isAdopted).toBeUndefined();
  expect(userOwner(user(status()))?.fields.isAdopted).toBeUndefined();
});

test("no owner: an object that was not Ready, only observed, had another address or uid, or has no row", () => {
  for (const more of [{ status: "False" }, { reason: "Observed" }, { type: "Paused" }])
    expect(userOwner(user(status({ conditions: [condition(more)] })))).toBeUndefined();
  expect(userOwner(user(status({ address: "sip:alice@other.com" })))).toBeUndefined();
  expect(userOwner(user({}))).toBeUndefined();
  expect(userOwner(user(status()), { subscribers: [] })).toBeUndefined();
  const another = { ...user(status()), metadata: { ...user(status()).metadata, uid: "u0" } };
  expect(userOwnerFromStatus(parseSipUser(user(status())), another, rows)).toBeUndefined();
  expect(userOwnerFromStatus(parseSipUser(user(status())), undefined, rows)).toBeUndefined();
});

test("a row whose name another object has claimed since belongs to that object", () => {
  const claims = (...names: string[]) => ({ claims: names.map((name) => claim("user", name, "bob")) });
  expect(userOwner(user(status()), claims("alice@example.com"))).toBeUndefined();
  expect(userOwner(user(status()), claims("200@example.com"))?.fields.aliases).toEqual([]);
  const own = { claims: [claim("user", "alice@example.com", "alice")] };
  expect(userOwner(user(status()), own)?.fields.aliases).toEqual(["200"]);
});

test("the same for a domain", () => {
  const object: KubernetesObject = {
    kind: "SipDomain",
    metadata: { namespace: "ns", name: "d", uid: "u1", generation: 1 },
    spec: { clusterRef: { name: "c" }, domain: "example.com", aliases: ["a.com", "b.com"], enabled: true },
    status: status(),
  };
  const domain = parseSipDomain(object);
  const found = (domains: string[], ...claims: ReturnType<typeof claim>[]) => ({
    ...{ installationId: "i", claims, domains },
  });
  const both = ["example.com", "a.com"];
  expect(domainOwnerFromStatus(domain, object, found(both))).toMatchObject({
    deletionPolicy: "Delete",
    fields: { domain: "example.com", realm: "example.com", aliases: ["a.com"] },
  });
  const adopted = { ...object, status: status({ deletionPolicy: "Retain" }) };
  expect(domainOwnerFromStatus(domain, adopted, found(["example.com"]))?.fields.isAdopted).toBe(true);
  expect(domainOwnerFromStatus(domain, object, found(["a.com"]))).toBeUndefined();
  expect(domainOwnerFromStatus(domain, { ...object, status: {} }, found(["example.com"]))).toBeUndefined();
  const another = { ...object, metadata: { ...object.metadata, uid: "u0" } };
  expect(domainOwnerFromStatus(domain, another, found(["example.com"]))).toBeUndefined();
  const theirs = (name: string) => found(both, claim("domain", name, "other"));
  expect(domainOwnerFromStatus(domain, object, theirs("example.com"))).toBeUndefined();
  expect(domainOwnerFromStatus(domain, object, theirs("a.com"))?.fields.aliases).toEqual([]);
});
