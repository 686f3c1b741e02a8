/** When objects are reconciled, finalized and requeued. controller-sweep.test.ts has the removal of rows without an object. */
import { expect, test } from "vitest";
import { given, keys, settle } from "../../../test/support/operator/controlled-loop.ts";

const readyAt = (observedGeneration: number): object => ({
  observedGeneration,
  conditions: [{ type: "Ready", status: "True" }],
});

test("an object that came back before its removal is reconciled, not removed", async () => {
  const { loop, objects, seen } = given(keys(1, 1), []);
  loop.start();
  objects.add("ns/u1");
  await settle();
  expect(seen.removed).toEqual([]);
});

test("a removal requeues objects that are not ready: the name may be free now", async () => {
  const { loop, objects, seen, clock } = given(keys(1, 2), keys(1, 2));
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  objects.delete("ns/u2");
  loop.sweep();
  await settle();
  clock.advance(500);
  await settle();
  expect(seen).toMatchObject({ removed: ["ns/u2"], reconciled: ["u1"] });
});

test("a finalized object requeues objects that are not ready, too", async () => {
  const { loop, deleting, objects, seen, clock } = given(keys(1, 2), keys(1, 2));
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  deleting.add("ns/u2");
  loop.changed({ kind: "Thing", key: "ns/u2", what: "object" });
  await settle();
  expect(seen).toMatchObject({ released: ["ns/u2"], reconciled: [] });
  objects.delete("ns/u2");
  clock.advance(500);
  await settle();
  expect(seen.reconciled).toEqual(["u1"]);
});

test("the waiting time of an object that was finalized and is deleted again starts at the second deletion", async () => {
  const { loop, deleting, finalized, seen, clock } = given(keys(1, 1), keys(1, 1));
  const again = async (): Promise<void> => {
    loop.changed({ kind: "Thing", key: "ns/u1", what: "object" });
    await settle();
  };
  deleting.add("ns/u1");
  loop.start();
  await settle();
  clock.advance(10_000);
  await settle();
  seen.waited.length = 0;
  finalized.push({ isDone: false, requeueAfter: 60_000 });
  await again();
  expect(seen.waited).toEqual([0]);
});

test("an object that is being deleted is finalized until done, then its finalizer is removed; it is not reconciled", async () => {
  const { loop, deleting, finalized, seen, clock } = given(keys(1, 1), keys(1, 1));
  finalized.push({ isDone: false, requeueAfter: 1_000 });
  deleting.add("ns/u1");
  loop.start();
  await settle();
  expect(seen).toMatchObject({ reconciled: [], released: [], waited: [0] });
  clock.advance(1_000);
  await settle();
  expect(seen).toMatchObject({ reconciled: [], released: ["ns/u1"], waited: [0, 1_000] });
});

test("within the time of a resync every object is reconciled again, a few at a time, with one sweep", async () => {
  const { loop, seen, clock } = given(keys(1, 120), keys(1, 120));
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  seen.plans.length = 0;
  clock.advance(1_200);
  await settle();
  expect(seen.reconciled).toEqual(["u1", "u2"]);
  for (let turn = 1; turn < 60; turn += 1) {
    clock.advance(1_200);
    await settle();
  }
  expect(new Set(seen.reconciled).size).toBe(120);
  expect(seen.plans).toHaveLength(1);
});

test("a database is reachable again: only the objects that it serves are reconciled again", async () => {
  const { loop, seen } = given(keys(1, 4), keys(1, 4));
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  loop.recovered(["ns/u2", "ns/u3"]);
  await settle();
  expect(seen.reconciled.sort()).toEqual(["u2", "u3"]);
  loop.recovered();
  await settle();
  expect(seen.reconciled).toHaveLength(6);
});

/** Lets the two that are worked on end, and whatever is taken next, until nothing is under way. */
async function drain({ ends, held }: ReturnType<typeof given>): Promise<void> {
  held.isHeld = false;
  for (const end of ends.splice(0)) end();
  await settle();
}

test("a changed password, an edit and a deletion come before many new objects, the objects of a changed dependency and the resync", async () => {
  const world = given([], keys(1, 40));
  const { loop, objects, statuses, generations, deleting, held, concerned, seen } = world;
  for (const key of keys(1, 20)) statuses.set(key, readyAt(1));
  for (const key of ["ns/edited", "ns/secret", "ns/goes"] as const) {
    objects.add(key);
    statuses.set(key, readyAt(1));
  }
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  held.isHeld = true;
  loop.resync(); // two of them are worked on, the others wait
  await settle();
  concerned.push(...keys(11, 20));
  loop.changed({ kind: "Other", key: "ns/x", what: "object" });
  generations.set("ns/edited", 2);
  concerned.splice(0);
  loop.changed({ kind: "Thing", key: "ns/edited", what: "object" });
  concerned.push("ns/secret");
  loop.changed({ kind: "Secret", key: "ns/s", what: "object" });
  concerned.splice(0);
  deleting.add("ns/goes");
  loop.changed({ kind: "Thing", key: "ns/goes", what: "object" });
  await settle();
  const begun = seen.reconciled.length;
  await drain(world);
  expect(seen.released).toEqual(["ns/goes"]);
  expect(seen.reconciled.slice(begun, begun + 2)).toEqual(["secret", "edited"]);
});

test("a new leader reconciles objects first that changed while there was no leader", async () => {
  const { loop, objects, statuses, generations, deleting, seen } = given([], keys(1, 20));
  for (const key of keys(1, 20)) statuses.set(key, readyAt(1));
  for (const key of ["ns/outdated", "ns/edited", "ns/goes"] as const) {
    objects.add(key);
    statuses.set(key, readyAt(1));
  }
  generations.set("ns/edited", 2);
  deleting.add("ns/goes");
  loop.start();
  await settle();
  expect(seen.reconciled.slice(0, 2)).toEqual(["outdated", "edited"]);
  expect(seen.released).toEqual(["ns/goes"]);
  expect(seen.reconciled).toHaveLength(22);
});

test("a freed name requeues the objects that are not ready, and no others", async () => {
  const { loop, objects, statuses, frees, seen, clock } = given([], keys(1, 3));
  statuses.set("ns/u1", readyAt(1));
  objects.add("ns/giver");
  statuses.set("ns/giver", readyAt(1));
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  frees.add("giver");
  loop.changed({ kind: "Thing", key: "ns/giver", what: "object" });
  await settle();
  frees.clear();
  clock.advance(500);
  await settle();
  expect(seen.reconciled).toEqual(["giver", "u2", "u3"]);
});
