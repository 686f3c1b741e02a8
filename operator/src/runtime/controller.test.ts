import { expect, test } from "vitest";
import { ControllerLoop, type Controller } from "./controller.ts";
import { splitKey, type ObjectKey } from "./object.ts";
import type { SweepPlan } from "./plan-sweep.ts";
import type { Source } from "./source.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A kind whose rows are `owned`, and a source that holds `present` and proves every other key absent. */
function given(owned: readonly ObjectKey[], present: readonly ObjectKey[], isProven = true) {
  const seen = { reconciled: [] as string[], removed: [] as string[], plans: [] as SweepPlan[] };
  const objects = new Set(present);
  const rows = new Set(owned);
  const objectOf = (key: ObjectKey) => ({
    kind: "Thing",
    metadata: { ...splitKey(key), uid: key, generation: 1 },
    spec: {},
  });
  const source = {
    get: (_kind: string, key: ObjectKey) => (objects.has(key) ? objectOf(key) : undefined),
    list: () => [...objects].map(objectOf),
    presence: (_kind: string, key: ObjectKey) =>
      Promise.resolve(
        objects.has(key)
          ? { is: "present", uid: "u" }
          : isProven
            ? { is: "absent" }
            : { is: "unknown", why: "not read" },
      ),
  } as unknown as Source;
  const controller: Controller = {
    kind: "Thing",
    reconcile: ({ metadata }) => {
      seen.reconciled.push(metadata.name);
      return Promise.resolve({});
    },
    remove: (key) => {
      seen.removed.push(key);
      rows.delete(key);
      return Promise.resolve();
    },
    owned: () => Promise.resolve([...rows]),
    concernedBy: () => [],
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
  });
  return { loop, objects, seen };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 500; turn += 1) await Promise.resolve();
};

const keys = (from: number, to: number): ObjectKey[] =>
  Array.from({ length: to - from + 1 }, (_, index): ObjectKey => `ns/u${from + index}`);

test("a sweep removes rows whose object is proven absent, and no other", async () => {
  const { loop, seen } = given(keys(1, 5), keys(1, 3));
  loop.start();
  await settle();
  expect(seen.removed.sort()).toEqual(["ns/u4", "ns/u5"]);
});

test("what merely could not be read is not removed", async () => {
  const { loop, seen } = given(keys(1, 5), keys(1, 3), false);
  loop.start();
  await settle();
  expect(seen.removed).toEqual([]);
});

test("a change of an object that is not there removes nothing before a sweep has proven it", async () => {
  const { loop, seen } = given([], []);
  loop.start();
  await settle();
  loop.changed({ kind: "Thing", key: "ns/u1", what: "object" });
  await settle();
  expect(seen.removed).toEqual([]);
});

test("above 10 rows and 10 % a sweep removes nothing and says so; 10 rows or 10 % it removes", async () => {
  const refused = given(keys(1, 100), keys(12, 100));
  refused.loop.start();
  await settle();
  expect(refused.seen.removed).toEqual([]);
  expect(refused.seen.plans).toEqual([{ kind: "refused", absent: 11, owned: 100 }]);
  const few = given(keys(1, 10), []);
  few.loop.start();
  await settle();
  expect(few.seen.removed).toHaveLength(10);
  const share = given(keys(1, 200), keys(21, 200));
  share.loop.start();
  await settle();
  expect(share.seen.removed).toHaveLength(20);
});

test("an object that came back before its turn is reconciled, not removed", async () => {
  const { loop, objects, seen } = given(keys(1, 1), []);
  loop.start();
  objects.add("ns/u1");
  await settle();
  expect(seen.removed).toEqual([]);
});

test("a removal wakes objects that are not ready: the name may be free now", async () => {
  const { loop, objects, seen } = given(keys(1, 2), keys(1, 2));
  loop.start();
  await settle();
  seen.reconciled.length = 0;
  objects.delete("ns/u2");
  loop.sweep();
  await settle();
  expect(seen).toMatchObject({ removed: ["ns/u2"], reconciled: ["u1"] });
});
