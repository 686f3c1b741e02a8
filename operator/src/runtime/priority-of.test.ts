import { expect, test } from "vitest";
import type { KubernetesObject } from "./object.ts";
import { priorityOf, type Cause } from "./priority-of.ts";

const causes: readonly Cause[] = ["object", "secret", "dependency", "recovery", "resync"];

/** Of generation 2. `seen` is what its status was written for; `ready` what it says. */
function given(seen: number | undefined, ready: "True" | "False", more: object = {}): KubernetesObject {
  const conditions = [{ type: "Ready", status: ready }];
  const status = seen === undefined ? undefined : { observedGeneration: seen, conditions };
  const metadata = { namespace: "ns", name: "a", uid: "u", generation: 2, ...more };
  return { kind: "Thing", metadata, spec: {}, ...(status && { status }) };
}

const all = (object: KubernetesObject | undefined, kind = {}): readonly string[] =>
  causes.map((cause) => priorityOf(object, cause, kind));

test("a deleted object, or one that is being deleted, comes first for every cause", () => {
  const going = given(2, "True", { deletionTimestamp: "2026-01-01T00:00:00Z" });
  for (const object of [undefined, going]) expect(new Set(all(object))).toEqual(new Set(["revocation"]));
});

test("a spec that ends a service comes first until its status has its generation", () => {
  const kind = { endsService: () => true };
  expect(new Set(all(given(1, "True"), kind))).toEqual(new Set(["revocation"]));
  expect(new Set(all(given(undefined, "False"), kind))).toEqual(new Set(["revocation"]));
  expect(all(given(2, "True"), kind)).toEqual(["edit", "revocation", "dependency", "resync", "resync"]);
});

test("an edit comes before a changed dependency, also when a new leader finds it", () => {
  expect(all(given(1, "True"))).toEqual(["edit", "revocation", "edit", "edit", "edit"]);
  expect(all(given(1, "False"))).toEqual(["edit", "edit", "edit", "edit", "edit"]);
});

test("a new object waits with other new objects for every cause", () => {
  expect(new Set(all(given(undefined, "False")))).toEqual(new Set(["creation"]));
});

test("a changed Secret of a served user ends a password; of another user it may begin a service", () => {
  expect(all(given(2, "True"))).toEqual(["edit", "revocation", "dependency", "resync", "resync"]);
  expect(all(given(2, "False"))).toEqual(["edit", "creation", "dependency", "dependency", "resync"]);
});

test("a new leader finds a Secret that changed while there was no leader", () => {
  const kind = { hasOutdatedSecret: () => true };
  expect(priorityOf(given(2, "True"), "resync", kind)).toBe("revocation");
  expect(priorityOf(given(2, "False"), "resync", kind)).toBe("resync");
});

test("a changed Secret of a refused user with a stored credential ends a password, too", () => {
  const kind = { hasOutdatedSecret: () => true };
  expect(all(given(2, "False"), kind)).toEqual(["edit", "revocation", "dependency", "dependency", "resync"]);
});
