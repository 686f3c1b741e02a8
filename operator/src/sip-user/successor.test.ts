/** Who goes on with the rows of a SipUser that is gone (ADR 35); on a real database: test/parts/operator/rename.test.ts. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Owner } from "../ownership.ts";
import { NameIndex } from "../runtime/name-index.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import { indexNamesOf } from "./older-users.ts";
import { parseSipUser, type UserFields } from "./resource.ts";
import { findCandidates, buildSuccessorOwner, isSuccessor } from "./successor.ts";
import type { UserRows } from "./current-state.ts";

const reference = { kind: "SipUser", namespace: "ns", name: "old" };
const owner: Owner<UserFields> = {
  reference,
  uid: "u1",
  generation: 3,
  deletionPolicy: "Delete",
  fields: {
    spec: { domainRef: { name: "d" }, username: "alice" },
    username: "alice",
    domain: "example.com",
    aliases: ["100"],
    generatedFor: "u1",
  },
};

function userOf(name: string, spec: object = {}, more: object = {}): KubernetesObject {
  const credential = { passwordSecretRef: { name: "s", key: "k" } };
  return {
    kind: "SipUser",
    metadata: { namespace: "ns", name, uid: name, generation: 1, ...more },
    spec: { domainRef: { name: "d" }, username: "alice", enabled: true, ...credential, ...spec },
  };
}

function candidatesOf(...all: readonly KubernetesObject[]): readonly string[] {
  const source = {
    get: (_kind: string, key: ObjectKey) =>
      all.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key),
    list: () => all,
  };
  return findCandidates(owner, new NameIndex(source, "SipUser", indexNamesOf)).map(
    ({ metadata }) => metadata.name,
  );
}

test("other objects of the namespace with this account, the oldest first", () => {
  const at = (minute: number) => ({ creationTimestamp: `2026-01-01T00:0${minute}:00Z` });
  expect(candidatesOf(userOf("b", {}, at(2)), userOf("a", {}, at(3)), userOf("old"))).toEqual(["b", "a"]);
});

test.each([
  ["of another namespace", { domainRef: { name: "d", namespace: "ns" } }, { namespace: "far" }],
  ["of another domain", { domainRef: { name: "e" } }, {}],
  ["with the name as an alias", { username: "bob", aliases: ["alice"] }, {}],
  ["that is disabled", { enabled: false }, {}],
  ["that only looks", { adoptionPolicy: "Observe" }, {}],
  ["that is paused", {}, { annotations: { "sip.strowger.dev/paused": "true" } }],
  ["that is going", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }],
])("nobody %s", (_what, spec, more) => expect(candidatesOf(userOf("new", spec, more))).toEqual([]));

const rows: UserRows = {
  kind: "ready",
  installationId: "i",
  isAllowed: true,
  owner: undefined,
  present: undefined,
  secret: { data: { k: "secret" } },
  seenSecret: undefined,
  domain: "example.com",
  realm: "realm",
  claims: [{ kind: "user", name: "alice@example.com", installationId: "i", owner: reference }],
  olderObjects: [],
  subscribers: [
    {
      username: "alice",
      domain: "example.com",
      ha1: createHash("md5").update("alice:realm:secret").digest("hex"),
      ha1Sha256: "",
      ha1b: "",
      ha1bSha256: "",
      plain: "",
    },
  ],
  settings: undefined,
  aliases: [],
  hasBindings: true,
};

const anew = parseSipUser(userOf("new"));

test("a successor with the same password gets rows, names and adoption, but not a generated password", () => {
  expect(isSuccessor(anew, rows, owner)).toBe(true);
  const adopted = {
    ...owner,
    deletionPolicy: "Retain" as const,
    fields: { ...owner.fields, isAdopted: true },
  };
  expect(buildSuccessorOwner(anew, adopted)).toEqual({
    reference: { kind: "SipUser", namespace: "ns", name: "new" },
    uid: "new",
    generation: 1,
    deletionPolicy: "Retain",
    fields: {
      spec: { domainRef: { name: "d" }, username: "alice" },
      username: "alice",
      domain: "example.com",
      aliases: ["100"],
      isAdopted: true,
    },
  });
  expect(buildSuccessorOwner(anew, owner).fields).not.toHaveProperty("isAdopted");
});

test.each([
  ["who is not let in", { isAllowed: false }],
  ["who owns rows already", { owner }],
  ["whose domain is another one now", { domain: "example.org" }],
  ["who has another password", { secret: { data: { k: "other" } } }],
  ["whose Secret is not there", { secret: undefined }],
  ["where there is no row", { subscribers: [] }],
  [
    "where the name is a third one's",
    { claims: [{ ...rows.claims[0]!, owner: { ...reference, name: "third" } }] },
  ],
] as const)("nobody %s", (_what, more) => expect(isSuccessor(anew, { ...rows, ...more }, owner)).toBe(false));

test("no successor without a credential, or while the domain is not served", () => {
  expect(isSuccessor({ ...anew, credential: undefined }, rows, owner)).toBe(false);
  expect(isSuccessor(anew, { kind: "unready" }, owner)).toBe(false);
});
