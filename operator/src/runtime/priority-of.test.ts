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

test("what is gone or going is first, whatever made somebody look", () => {
  const going = given(2, "True", { deletionTimestamp: "2026-01-01T00:00:00Z" });
  for (const object of [undefined, going]) expect(new Set(all(object))).toEqual(new Set(["revocation"]));
});

test("a spec that takes something away is first until its status says that it was seen", () => {
  const kind = { endsService: () => true };
  expect(new Set(all(given(1, "True"), kind))).toEqual(new Set(["revocation"]));
  expect(new Set(all(given(undefined, "False"), kind))).toEqual(new Set(["revocation"]));
  expect(all(given(2, "True"), kind)).toEqual(["edit", "revocation", "dependency", "resync", "resync"]);
});

test("an edit comes before what concerns many, also where a new leader finds it", () => {
  expect(all(given(1, "True"))).toEqual(["edit", "revocation", "edit", "edit", "edit"]);
  expect(all(given(1, "False"))).toEqual(["edit", "edit", "edit", "edit", "edit"]);
});

test("a new object waits with the other new ones, whatever else changes for it", () => {
  expect(new Set(all(given(undefined, "False")))).toEqual(new Set(["creation"]));
});

test("a Secret of who is served ends a password; of who is not it begins a service", () => {
  expect(all(given(2, "True"))).toEqual(["edit", "revocation", "dependency", "resync", "resync"]);
  expect(all(given(2, "False"))).toEqual(["edit", "creation", "dependency", "dependency", "resync"]);
});

test("a Secret that changed while nobody led is found by a new leader", () => {
  const kind = { hasOutdatedSecret: () => true };
  expect(priorityOf(given(2, "True"), "resync", kind)).toBe("revocation");
  expect(priorityOf(given(2, "False"), "resync", kind)).toBe("resync");
});

test("a changed Secret of who is refused, and had a credential in force, ends a password, too", () => {
  const kind = { hasOutdatedSecret: () => true };
  expect(all(given(2, "False"), kind)).toEqual(["edit", "revocation", "dependency", "dependency", "resync"]);
});
