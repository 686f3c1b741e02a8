import { expect, test } from "vitest";
import type { Installations } from "../installations.ts";
import { OutageConditions } from "../installations/outage-conditions.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { SipUserController } from "./controller.ts";

/** A user whose status was written for Secret version 7, and a watch that tells `version`. */
function given(
  version: string | undefined,
  spec: object = {},
  status: object = { secretResourceVersion: "7" },
) {
  const source = { secretVersion: () => version } as unknown as Source;
  const users = new SipUserController({
    source,
    installations: {} as Installations,
    status: {} as StatusWriter,
    outages: new OutageConditions(new VirtualClock()),
  });
  const object: KubernetesObject = {
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u", generation: 1 },
    spec: {
      domainRef: { name: "d" },
      username: "alice",
      enabled: true,
      passwordSecretRef: { name: "s", key: "password" },
      ...spec,
    },
    status,
  };
  return { users, object };
}

test("a user has an outdated Secret when a watch reports another version than its status", () => {
  const hasOutdatedSecret = ({ users, object }: ReturnType<typeof given>): boolean =>
    users.hasOutdatedSecret(object);
  expect(hasOutdatedSecret(given("8"))).toBe(true);
  expect(hasOutdatedSecret(given("7"))).toBe(false);
  expect(hasOutdatedSecret(given(undefined))).toBe(false);
  expect(hasOutdatedSecret(given("8", {}, {}))).toBe(false);
  expect(hasOutdatedSecret(given("8", { passwordSecretRef: undefined }))).toBe(false);
});

test("`enabled: false` ends a service", () => {
  for (const enabled of [true, false]) {
    const { users, object } = given("7", { enabled });
    expect(users.endsService(object)).toBe(!enabled);
  }
});

/** A SipDomain as its condition Ready says it, and users of it. */
function crowd(
  domain: { readonly status: string; readonly reason: string } | undefined,
  onList: () => void = () => undefined,
) {
  const object = (kind: string, name: string, spec: object, ready?: object): KubernetesObject => ({
    kind,
    metadata: { namespace: "ns", name, uid: name, generation: 1 },
    spec,
    ...(ready === undefined ? {} : { status: { conditions: [{ type: "Ready", ...ready }] } }),
  });
  const user = (name: string, ready: object, spec: object = {}) =>
    object("SipUser", name, { domainRef: { name: "d" }, username: name, enabled: true, ...spec }, ready);
  const all = [
    user("served", { status: "True", reason: "Reconciled" }, { passwordSecretRef: { name: "s", key: "k" } }),
    user("waits", { status: "False", reason: "DomainNotReady" }, { generatePassword: true }),
    user("conflict", { status: "False", reason: "Conflict" }, { ha1SecretRef: { name: "s", key: "k" } }),
    user("far", { status: "True", reason: "Reconciled" }, { domainRef: { name: "other" } }),
  ];
  const source = {
    get: () => domain && object("SipDomain", "d", {}, domain),
    list: () => (onList(), all),
    secretVersion: () => undefined,
  } as unknown as Source;
  return new SipUserController({
    source,
    installations: {} as Installations,
    status: {} as StatusWriter,
    outages: new OutageConditions(new VirtualClock()),
  });
}

test("a change of a SipDomain concerns its users; a change of its status only users whose status contradicts it", () => {
  const change = { kind: "SipDomain", key: "ns/d" } as const;
  const ready = crowd({ status: "True", reason: "Reconciled" });
  expect(ready.dependentsOf({ ...change, what: "object" })).toEqual(["ns/served", "ns/waits", "ns/conflict"]);
  expect(ready.dependentsOf({ ...change, what: "status" })).toEqual(["ns/waits", "ns/conflict"]);
  expect(crowd(undefined).dependentsOf({ ...change, what: "status" })).toEqual(["ns/served"]);
  // Who is in trouble of its own may have rows that are on.
  const shut = crowd({ status: "False", reason: "NotAllowed" });
  expect(shut.dependentsOf({ ...change, what: "status" })).toEqual(["ns/served", "ns/conflict"]);
  expect(ready.dependentsOf({ kind: "SipCluster", key: "ns/d", what: "object" })).toEqual([]);
});

test("a Secret concerns the users of its own namespace that take their credential from it; they are listed once", () => {
  let lists = 0;
  const users = crowd(undefined, () => (lists += 1));
  const concerned = (key: `${string}/${string}`) =>
    users.dependentsOf({ kind: "Secret", key, what: "object" });
  expect(concerned("ns/s")).toEqual(["ns/served", "ns/conflict"]);
  expect(concerned("far/s")).toEqual([]);
  expect(concerned("ns/waits-sip-password")).toEqual(["ns/waits"]);
  expect(concerned("ns/served-sip-password")).toEqual([]);
  expect(concerned("ns/far-sip-password")).toEqual([]);
  expect(lists).toBe(1);
});

test.each([
  ["goes with its object", {}, {}, ["ns/alice-sip-password for u"]],
  ["stays where the spec retains the row", { deletionPolicy: "Retain" }, {}, []],
  ["stays where the row was adopted", {}, { deletionPolicy: "Retain" }, []],
  [
    "of somebody else is left alone",
    { generatePassword: undefined, passwordSecretRef: { name: "s", key: "k" } },
    {},
    [],
  ],
] as const)(
  "a generated password %s, also where no owner row knows of it",
  async (_what, spec, status, removed) => {
    const gone: string[] = [];
    const source = {
      get: () => undefined,
      removeSecret: (key: string, uid: string) => (gone.push(`${key} for ${uid}`), Promise.resolve()),
    } as unknown as Source;
    const users = new SipUserController({
      source,
      installations: { open: () => [], unreachable: () => [] } as unknown as Installations,
      status: {} as StatusWriter,
      outages: new OutageConditions(new VirtualClock()),
    });
    const object: KubernetesObject = {
      kind: "SipUser",
      metadata: { namespace: "ns", name: "alice", uid: "u", generation: 1 },
      spec: { domainRef: { name: "d" }, username: "alice", enabled: true, generatePassword: true, ...spec },
      status,
    };
    expect(await users.finalize(object, 0)).toEqual({ isDone: true });
    expect(gone).toEqual(removed);
  },
);
