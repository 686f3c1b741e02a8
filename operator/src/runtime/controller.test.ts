import { expect, test } from "vitest";
import { ControllerLoop, type Controller, type Finalized } from "./controller.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "./object.ts";
import type { SweepPlan } from "./plan-sweep.ts";
import type { Source } from "./source.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

/** A kind whose rows are `owned`, and a source that holds `present` and proves every other key absent. */
function given(owned: readonly ObjectKey[], present: readonly ObjectKey[], isProven = true) {
  const seen = {
    reconciled: [] as string[],
    removed: [] as string[],
    plans: [] as SweepPlan[],
    asked: [] as string[],
    released: [] as string[],
    waited: [] as number[],
  };
  const deleting = new Set<ObjectKey>();
  const finalized: Finalized[] = [];
  const objects = new Set(present);
  const rows = new Set(owned);
  const statuses = new Map<ObjectKey, object>();
  const generations = new Map<ObjectKey, number>();
  const ends: (() => void)[] = [];
  const held = { isHeld: false };
  const frees = new Set<string>();
  const concerned: ObjectKey[] = [];
  const removal: { fails?: boolean; isProven: boolean } = { isProven };
  const missed: { isComplete?: boolean; failures?: unknown[] } = {};
  const objectOf = (key: ObjectKey) => ({
    kind: "Thing",
    metadata: {
      ...splitKey(key),
      uid: key,
      generation: generations.get(key) ?? 1,
      ...(deleting.has(key) ? { deletionTimestamp: "now", finalizers: ["sip.strowger.dev/rows"] } : {}),
    },
    spec: {},
    ...(statuses.has(key) ? { status: statuses.get(key) } : {}),
  });
  const source = {
    setFinalizer: (_kind: string, key: ObjectKey, isHeld: boolean) => {
      if (!isHeld) seen.released.push(key);
      return Promise.resolve();
    },
    get: (_kind: string, key: ObjectKey) => (objects.has(key) ? objectOf(key) : undefined),
    list: () => [...objects].map(objectOf),
    existence: (_kind: string, key: ObjectKey) => {
      seen.asked.push(key);
      return Promise.resolve(
        objects.has(key)
          ? { is: "present", uid: "u" }
          : removal.isProven
            ? { is: "absent" }
            : { is: "unknown", why: "not read" },
      );
    },
  } as unknown as Source;
  const controller: Controller = {
    kind: "Thing",
    reconcile: ({ metadata }) => {
      seen.reconciled.push(metadata.name);
      const outcome = frees.has(metadata.name) ? { freesName: true } : {};
      return held.isHeld
        ? new Promise((resolve) => ends.push(() => resolve(outcome)))
        : Promise.resolve(outcome);
    },
    finalize: (_object: KubernetesObject, waited: number) => {
      seen.waited.push(waited);
      return Promise.resolve(finalized.shift() ?? { isDone: true as const });
    },
    remove: (key) => {
      if (removal.fails === true) return Promise.reject(new Error("the database is away"));
      seen.removed.push(key);
      rows.delete(key);
      return Promise.resolve();
    },
    owned: () => Promise.resolve({ keys: [...rows], isComplete: true, failures: [], ...missed }),
    dependentsOf: () => concerned,
    hasOutdatedSecret: ({ metadata }) => metadata.name === "outdated",
  };
  const nothing = () => undefined;
  const observer = {
    queue: { added: nothing, taken: nothing, finished: nothing, retried: nothing },
    reconcile: { started: nothing, finished: nothing, failed: nothing },
    removed: nothing,
    planned: (plan: SweepPlan) => seen.plans.push(plan),
  };
  const clock = new VirtualClock();
  const loop = new ControllerLoop(controller, source, observer, {
    clock,
    random: () => 1,
    seconds: () => 0,
    workers: 2,
    resyncWithin: 60_000,
  });
  return {
    loop,
    objects,
    deleting,
    finalized,
    rows,
    missed,
    statuses,
    generations,
    held,
    frees,
    ends,
    concerned,
    removal,
    clock,
    seen,
  };
}

const readyAt = (observedGeneration: number): object => ({
  observedGeneration,
  conditions: [{ type: "Ready", status: "True" }],
});

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 500; turn += 1) await Promise.resolve();
};

const keys = (from: number, to: number): ObjectKey[] =>
  Array.from({ length: to - from + 1 }, (_, index): ObjectKey => `ns/u${from + index}`);

test("a sweep removes rows whose object is proven absent, and no other rows", async () => {
  const { loop, seen } = given(keys(1, 5), keys(1, 3));
  loop.start();
  await settle();
  expect(seen.removed.sort()).toEqual(["ns/u4", "ns/u5"]);
});

test("rows of an object that could not be read are not removed", async () => {
  const { loop, seen } = given(keys(1, 5), keys(1, 3), false);
  loop.start();
  await settle();
  expect(seen.removed).toEqual([]);
});

test("a change of an absent object removes nothing before a sweep has proven the absence", async () => {
  const { loop, seen } = given([], []);
  loop.start();
  await settle();
  loop.changed({ kind: "Thing", key: "ns/u1", what: "object" });
  await settle();
  expect(seen.removed).toEqual([]);
});

test("above 10 rows and 10 % a sweep removes nothing and reports it; 10 rows or 10 % it removes", async () => {
  const refused = given(keys(1, 100), keys(12, 100));
  refused.loop.start();
  await settle();
  expect(refused.seen.removed).toEqual([]);
  expect(refused.seen.plans).toEqual([{ remove: [], retained: keys(1, 11), newlyRetained: 11, owned: 100 }]);
  const few = given(keys(1, 10), []);
  few.loop.start();
  await settle();
  expect(few.seen.removed).toHaveLength(10);
  const share = given(keys(1, 200), keys(21, 200));
  share.loop.start();
  await settle();
  expect(share.seen.removed).toHaveLength(20);
});

test("retained rows stay, and objects that are gone later are removed: one by one, and in numbers that a sweep removes", async () => {
  const { loop, objects, seen } = given(keys(1, 100), keys(12, 100));
  loop.start();
  loop.sweep();
  await settle();
  expect(loop.leaving()).toEqual(keys(1, 11).map((key) => ({ key, isRetained: true })));
  for (const key of keys(12, 14)) {
    objects.delete(key);
    loop.changed({ kind: "Thing", key, what: "object" });
    expect(loop.leaving()).toContainEqual({ key, isRetained: false });
    loop.sweep();
    await settle();
  }
  for (const key of keys(15, 24)) objects.delete(key);
  loop.sweep();
  await settle();
  expect(seen.removed).toEqual(keys(12, 24));
  for (const key of keys(25, 40)) objects.delete(key);
  loop.sweep();
  await settle();
  expect(seen.removed).toEqual(keys(12, 24));
  expect(seen.plans.at(-1)).toMatchObject({ retained: [...keys(1, 11), ...keys(25, 40)], newlyRetained: 16 });
  expect(loop.leaving().every(({ isRetained }) => isRetained)).toBe(true);
  expect(loop.leaving()).toHaveLength(27);
});

test.each(["absence cannot be proven", "rows cannot all be listed"])(
  "what a sweep kept stays kept while %s for a time",
  async (trouble) => {
    const { loop, objects, rows, seen, removal, missed } = given(keys(1, 100), keys(12, 100));
    loop.start();
    loop.sweep();
    await settle();
    const hidden = keys(1, 11);
    if (trouble.startsWith("absence")) removal.isProven = false;
    else {
      missed.isComplete = false;
      for (const key of hidden) rows.delete(key);
    }
    loop.sweep();
    await settle();
    removal.isProven = true;
    missed.isComplete = true;
    for (const key of hidden) rows.add(key);
    objects.delete("ns/u12");
    loop.sweep();
    await settle();
    expect(seen.removed).toEqual(["ns/u12"]);
    expect(seen.plans.at(-1)).toMatchObject({ retained: hidden, newlyRetained: 0 });
  },
);

test("a retained object that came back is removed when it is deleted again", async () => {
  const { loop, objects, seen } = given(keys(1, 100), keys(12, 100));
  loop.start();
  await settle();
  objects.add("ns/u1");
  loop.changed({ kind: "Thing", key: "ns/u1", what: "object" });
  await settle();
  expect(loop.leaving().map(({ key }) => key)).toEqual(keys(2, 11));
  objects.delete("ns/u1");
  loop.sweep();
  await settle();
  expect(seen.removed).toEqual(["ns/u1"]);
  expect(seen.plans.at(-1)).toMatchObject({ retained: keys(2, 11), newlyRetained: 0 });
});

test("a gone object is listed as leaving until its rows are gone: also an object without rows, until the next sweep", async () => {
  const { loop, objects, missed, clock } = given(keys(1, 2), keys(1, 3));
  loop.start();
  expect(loop.isSwept).toBe(false);
  await settle();
  loop.sweep();
  await settle();
  expect(loop.isSwept).toBe(true);
  Object.assign(missed, { isComplete: false, failures: [new Error("away")] });
  for (const key of keys(2, 3)) {
    objects.delete(key);
    loop.changed({ kind: "Thing", key, what: "object" });
  }
  loop.sweep();
  await settle();
  expect([loop.isSwept, loop.leaving().map(({ key }) => key)]).toEqual([false, ["ns/u3"]]);
  Object.assign(missed, { isComplete: true, failures: [] });
  clock.advance(5_000); // the back-off of the sweep
  await settle();
  expect([loop.isSwept, loop.leaving()]).toEqual([true, []]);
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

test("a sweep reads only objects that the cache does not have", async () => {
  const { loop, seen } = given(keys(1, 5), keys(1, 3));
  loop.start();
  await settle();
  expect(seen.asked).toEqual(["ns/u4", "ns/u5"]);
});

test("a deleted object is followed by a sweep, one sweep for many objects", async () => {
  const { loop, objects, seen, clock } = given(keys(1, 100), keys(1, 100));
  loop.start();
  await settle();
  for (const key of keys(1, 5)) {
    objects.delete(key);
    loop.changed({ kind: "Thing", key, what: "object" });
  }
  await settle();
  expect(seen.removed).toEqual([]);
  clock.advance(500);
  await settle();
  expect(seen.removed).toHaveLength(5);
  expect(seen.plans).toHaveLength(2);
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

test("objects that were finalized are swept in any number: their deletion was intended", async () => {
  const { loop, objects, deleting, seen, clock } = given(keys(1, 100), keys(1, 100));
  for (const key of keys(1, 50)) deleting.add(key);
  loop.start();
  await settle();
  expect(seen.released).toHaveLength(50);
  for (const key of keys(1, 50)) objects.delete(key); // their rows were left, for the database was away
  loop.sweep();
  await settle();
  clock.advance(500);
  await settle();
  expect(seen.plans.at(-1)).toMatchObject({ remove: [], retained: [] });
  expect(seen.removed).toHaveLength(50);
});

test("a sweep without an answer of every database removes known rows, is tried again, and remembers intended deletions", async () => {
  const { loop, objects, deleting, rows, missed, seen, clock } = given(keys(1, 100), keys(1, 100));
  for (const key of keys(1, 50)) deleting.add(key);
  for (const key of keys(1, 100)) rows.delete(key); // of a database that hangs; let go with their rows there
  Object.assign(missed, { isComplete: false, failures: [new Error("hangs")] });
  rows.add("ns/left");
  loop.start();
  await settle();
  loop.sweep(); // after they were let go
  await settle();
  for (const key of keys(1, 50)) objects.delete(key);
  expect(seen.removed).toEqual(["ns/left"]);
  for (const key of keys(1, 100)) rows.add(key);
  Object.assign(missed, { isComplete: true, failures: [] });
  clock.advance(5_000); // the back-off of the sweep
  await settle();
  expect(seen.removed).toHaveLength(51);
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

test("a failed removal needs a new proof of absence: without it the rows stay", async () => {
  const { loop, removal, seen, clock } = given(keys(1, 5), keys(1, 3));
  removal.fails = true;
  loop.start();
  await settle();
  removal.fails = false;
  removal.isProven = false;
  loop.sweep();
  await settle();
  clock.advance(30_000); // the back-off of both keys
  await settle();
  expect(seen.removed).toEqual([]);
  removal.isProven = true;
  loop.sweep();
  await settle();
  clock.advance(30_000);
  await settle();
  expect(seen.removed.sort()).toEqual(["ns/u4", "ns/u5"]);
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
