import { expect, test } from "vitest";
import { NameIndex } from "../runtime/name-index.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { findOlderUsers, indexNamesOf } from "./older-users.ts";
import { parseSipUser } from "./resource.ts";

const domain: KubernetesObject = {
  kind: "SipDomain",
  metadata: { namespace: "ns", name: "d", uid: "d", generation: 1 },
  spec: { allowedNamespaces: { names: ["let-in"] } },
};

/** A user of the domain, created in that minute. */
function userAt(minute: number, name: string, spec: object = {}, more: object = {}): KubernetesObject {
  const creationTimestamp = `2026-01-01T00:0${minute}:00Z`;
  return {
    kind: "SipUser",
    metadata: { namespace: "ns", name, uid: name, generation: 1, creationTimestamp, ...more },
    spec: { domainRef: { name: "d", namespace: "ns" }, username: "alice", enabled: true, ...spec },
  };
}

const me = userAt(5, "me", { aliases: ["100"] });

const olderAmong = (...others: readonly KubernetesObject[]) => olderThanOwner([], ...others);

async function olderThanOwner(
  owned: readonly string[],
  ...others: readonly KubernetesObject[]
): Promise<readonly string[]> {
  const all = [me, ...others];
  const keyOf = ({ metadata }: KubernetesObject): ObjectKey => `${metadata.namespace}/${metadata.name}`;
  const source = {
    get: (_kind: string, key: ObjectKey) => all.find((object) => keyOf(object) === key),
    list: () => all,
  } as unknown as Source;
  const index = new NameIndex(source, "SipUser", indexNamesOf);
  const older = await findOlderUsers(parseSipUser(me), ["alice", "100"], { domain, owned, index, source });
  return older.map(({ name, owner }) => `${name} ${owner.namespace}/${owner.name}`);
}

test("each name goes to the oldest object that requests it, as its username or as an alias", async () => {
  expect(await olderAmong()).toEqual([]);
  expect(await olderAmong(userAt(6, "younger"))).toEqual([]);
  const older = userAt(2, "older", { username: "bob", aliases: ["alice"] });
  expect(await olderAmong(older, userAt(3, "old"), userAt(4, "number", { username: "100" }))).toEqual([
    "alice ns/older",
    "100 ns/number",
  ]);
});

test("for the same second, or without a time, the first by namespace and name is older", async () => {
  expect(await olderAmong(userAt(5, "a"))).toEqual(["alice ns/a"]);
  expect(await olderAmong(userAt(5, "z"))).toEqual([]);
  expect(await olderAmong(userAt(9, "z", {}, { creationTimestamp: undefined }))).toEqual(["alice ns/z"]);
});

test("an object that is being deleted, only observes, is not allowed or has another domain gets no name", async () => {
  const out = { namespace: "shut-out" };
  expect(await olderAmong(userAt(1, "x", {}, { deletionTimestamp: "2026-01-02T00:00:00Z" }))).toEqual([]);
  expect(await olderAmong(userAt(1, "x", { adoptionPolicy: "Observe" }))).toEqual([]);
  expect(await olderAmong(userAt(1, "x", {}, out))).toEqual([]);
  expect(await olderAmong(userAt(1, "x", {}, { namespace: "let-in" }))).toEqual(["alice let-in/x"]);
  expect(await olderAmong(userAt(1, "x", { domainRef: { name: "other" } }))).toEqual([]);
});

test("this user's own rows go only to an object that takes rows over", async () => {
  const never = userAt(1, "never", { aliases: ["100"], adoptionPolicy: "Never" });
  expect(await olderThanOwner(["alice"], never)).toEqual(["100 ns/never"]);
  expect(await olderThanOwner(["alice"], never, userAt(2, "x", { adoptionPolicy: "Adopt" }))).toEqual([
    "alice ns/x",
    "100 ns/never",
  ]);
});
