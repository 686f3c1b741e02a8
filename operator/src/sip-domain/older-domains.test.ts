import { expect, test } from "vitest";
import { NameIndex } from "../runtime/name-index.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { findOlderDomains, indexNamesOf } from "./older-domains.ts";
import { parseSipDomain } from "./resource.ts";

const cluster: KubernetesObject = {
  kind: "SipCluster",
  metadata: { namespace: "ns", name: "c", uid: "c", generation: 1 },
  spec: { allowedDomains: [{ namespaces: { names: ["let-in"] }, suffixes: ["example.com"] }] },
};

/** A domain of the cluster, created in that minute. */
function domainAt(minute: number, name: string, spec: object = {}, more: object = {}): KubernetesObject {
  const creationTimestamp = `2026-01-01T00:0${minute}:00Z`;
  return {
    kind: "SipDomain",
    metadata: { namespace: "ns", name, uid: name, generation: 1, creationTimestamp, ...more },
    spec: { clusterRef: { name: "c", namespace: "ns" }, domain: "example.com", enabled: true, ...spec },
  };
}

const me = domainAt(5, "me", { aliases: ["pbx.example.com"] });

const olderAmong = (...others: readonly KubernetesObject[]) => olderThanOwner([], ...others);

async function olderThanOwner(
  owned: readonly string[],
  ...others: readonly KubernetesObject[]
): Promise<readonly string[]> {
  const all = [me, ...others];
  const source = {
    get: (_kind: string, key: ObjectKey) =>
      all.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key),
    list: () => all,
  } as unknown as Source;
  const index = new NameIndex(source, "SipDomain", indexNamesOf);
  const names = ["example.com", "pbx.example.com"];
  const older = await findOlderDomains(parseSipDomain(me), names, { cluster, owned, index, source });
  return older.map(({ name, owner }) => `${name} ${owner.namespace}/${owner.name}`);
}

test("each name goes to the oldest object that requests it, as its domain or as an alias, in any case", async () => {
  expect(await olderAmong(domainAt(6, "younger"))).toEqual([]);
  const older = domainAt(2, "older", { domain: "x.example", aliases: ["Example.COM"] });
  expect(
    await olderAmong(older, domainAt(3, "old"), domainAt(4, "b", { domain: "PBX.example.com" })),
  ).toEqual(["example.com ns/older", "pbx.example.com ns/b"]);
});

test("an object that is being deleted, only observes, is not allowed or has another cluster gets no name", async () => {
  const letIn = { namespace: "let-in" };
  expect(await olderAmong(domainAt(1, "x", {}, { deletionTimestamp: "2026-01-02T00:00:00Z" }))).toEqual([]);
  expect(await olderAmong(domainAt(1, "x", { adoptionPolicy: "Observe" }))).toEqual([]);
  expect(await olderAmong(domainAt(1, "x", {}, { namespace: "shut-out" }))).toEqual([]);
  expect(await olderAmong(domainAt(1, "x", {}, letIn))).toEqual(["example.com let-in/x"]);
  expect(await olderAmong(domainAt(1, "x", { aliases: ["not.example"] }, letIn))).toEqual([]);
  expect(await olderAmong(domainAt(1, "x", { clusterRef: { name: "other" } }))).toEqual([]);
});

test("this domain's own rows go only to an object that takes rows over", async () => {
  const never = domainAt(1, "never", { aliases: ["pbx.example.com"], adoptionPolicy: "Never" });
  const enforces = domainAt(2, "x", { adoptionPolicy: "Enforce" });
  expect(await olderThanOwner(["example.com"], never)).toEqual(["pbx.example.com ns/never"]);
  expect(await olderThanOwner(["example.com"], never, enforces)).toEqual([
    "example.com ns/x",
    "pbx.example.com ns/never",
  ]);
});
