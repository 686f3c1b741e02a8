import { expect, test } from "vitest";
import type { KubernetesObject } from "../runtime/object.ts";
import { rememberedOwner as rememberedDomain } from "../sip-domain/remembered-owner.ts";
import { parseSipDomain } from "../sip-domain/resource.ts";
import { rememberedOwner } from "./remembered-owner.ts";
import { parseSipUser } from "./resource.ts";

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
const rows = {
  domain: "example.com",
  subscribers: [
    { username: "alice", domain: "example.com", ha1: "", ha1Sha256: "", ha1b: "", ha1bSha256: "", plain: "" },
  ],
  aliases: [
    { alias: "200", target: { username: "alice", domain: "example.com" } },
    { alias: "300", target: { username: "bob", domain: "example.com" } },
  ],
};
const remembered = (object: KubernetesObject, found: Partial<typeof rows> = {}) =>
  rememberedOwner(parseSipUser(object), object, { ...rows, ...found });

test("who was ready under this address owns the rows that are there, with what leads to them", () => {
  expect(remembered(user(status()))).toMatchObject({
    uid: "u1",
    deletionPolicy: "Delete",
    fields: { username: "alice", domain: "example.com", aliases: ["200"] },
  });
});

test("who waits for the domain owns them if it had a credential in force before", () => {
  const waiting = [condition({ status: "False", reason: "DomainNotReady" })];
  expect(remembered(user(status({ conditions: waiting, secretResourceVersion: "7" })))).toBeDefined();
  expect(remembered(user(status({ conditions: waiting })))).toBeUndefined();
  const refused = [condition({ status: "False", reason: "Conflict" })];
  expect(remembered(user(status({ conditions: refused, secretResourceVersion: "7" })))).toBeUndefined();
});

test("what was adopted stays so; who asked for Retain adopted nothing", () => {
  const retained = status({ deletionPolicy: "Retain" });
  expect(remembered(user(retained))).toMatchObject({ deletionPolicy: "Retain", fields: { isAdopted: true } });
  expect(remembered(user(retained, { deletionPolicy: "Retain" }))?.fields.isAdopted).toBeUndefined();
  expect(remembered(user(status()))?.fields.isAdopted).toBeUndefined();
});

test("nobody is an owner who was not ready, only observed, had another address, is another object, or has no row", () => {
  for (const more of [{ status: "False" }, { reason: "Observed" }, { type: "Paused" }])
    expect(remembered(user(status({ conditions: [condition(more)] })))).toBeUndefined();
  expect(remembered(user(status({ address: "sip:alice@other.com" })))).toBeUndefined();
  expect(remembered(user({}))).toBeUndefined();
  expect(remembered(user(status()), { subscribers: [] })).toBeUndefined();
  const another = { ...user(status()), metadata: { ...user(status()).metadata, uid: "u0" } };
  expect(rememberedOwner(parseSipUser(user(status())), another, rows)).toBeUndefined();
  expect(rememberedOwner(parseSipUser(user(status())), undefined, rows)).toBeUndefined();
});

test("a domain likewise", () => {
  const object: KubernetesObject = {
    kind: "SipDomain",
    metadata: { namespace: "ns", name: "d", uid: "u1", generation: 1 },
    spec: { clusterRef: { name: "c" }, domain: "example.com", aliases: ["a.com", "b.com"], enabled: true },
    status: status(),
  };
  const domain = parseSipDomain(object);
  expect(rememberedDomain(domain, object, ["example.com", "a.com"])).toMatchObject({
    deletionPolicy: "Delete",
    fields: { domain: "example.com", realm: "example.com", aliases: ["a.com"] },
  });
  const adopted = { ...object, status: status({ deletionPolicy: "Retain" }) };
  expect(rememberedDomain(domain, adopted, ["example.com"])?.fields.isAdopted).toBe(true);
  expect(rememberedDomain(domain, object, ["a.com"])).toBeUndefined();
  expect(rememberedDomain(domain, { ...object, status: {} }, ["example.com"])).toBeUndefined();
  const another = { ...object, metadata: { ...object.metadata, uid: "u0" } };
  expect(rememberedDomain(domain, another, ["example.com"])).toBeUndefined();
});
