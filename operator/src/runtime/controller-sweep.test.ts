/** The sweep: rows of objects that are gone are removed after proof of absence, and retained when many are gone at once. */
import { expect, test } from "vitest";
import { given, keys, settle } from "../../../test/support/operator/controlled-loop.ts";

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
