import { expect, test } from "vitest";
import type { Condition } from "../runtime/condition.ts";
import { ReplacedDatabase, type DatabaseObservation } from "./replaced-database.ts";

const day = 24 * 3_600_000;
const observation = (
  had: string | undefined,
  id: string,
  more: Partial<DatabaseObservation> = {},
): DatabaseObservation => ({
  id,
  status: { observedGeneration: 1, ...(had === undefined ? {} : { installationId: had }) },
  generation: 1,
  isTakeOver: false,
  now: 0,
  ...more,
});
const message = /has the installation id new instead of old\./;

test("the first database, and the same database again, give no notice", () => {
  const seen = new ReplacedDatabase();
  expect(seen.observe(observation(undefined, "old"))).toBeUndefined();
  expect(seen.observe(observation("old", "old"))).toBeUndefined();
});

test("another database with the same spec is a notice for one day", () => {
  const seen = new ReplacedDatabase();
  seen.observe(observation("old", "old"));
  expect(seen.observe(observation("old", "new"))).toMatch(message);
  expect(seen.observe(observation("new", "new", { now: day - 1 }))).toMatch(message);
  expect(seen.observe(observation("new", "new", { now: day }))).toBeUndefined();
});

test("a database that the spec or an annotation requests gives no notice, also when it opens after the change of the spec", () => {
  const seen = new ReplacedDatabase();
  seen.observe(observation("old", "old"));
  const status = { observedGeneration: 2, installationId: "old" };
  // Twice: the first status may not have been written
  for (let time = 0; time < 2; time++)
    expect(seen.observe(observation("old", "new", { generation: 2, status }))).toBeUndefined();
  expect(seen.observe(observation("new", "new", { generation: 2 }))).toBeUndefined();
  expect(seen.observe(observation("new", "third", { generation: 2, isTakeOver: true }))).toBeUndefined();
  expect(new ReplacedDatabase().observe(observation("old", "new", { generation: 2 }))).toBeUndefined();
});

test("an operator that has just started continues the notice for one day", () => {
  const verdict = {
    type: "DatabaseReady",
    status: "True",
    reason: "DatabaseReplaced",
    message: "stated before",
  };
  const conditions = [{ ...verdict, lastTransitionTime: "", observedGeneration: 1 } as Condition];
  const status = { observedGeneration: 1, installationId: "new", conditions };
  const seen = new ReplacedDatabase();
  expect(seen.observe(observation("new", "new", { status }))).toBe("stated before");
  expect(seen.observe(observation("new", "new", { status, now: day - 1 }))).toBe("stated before");
  expect(seen.observe(observation("new", "new", { status, now: day }))).toBeUndefined();
  expect(seen.observe(observation("new", "new", { status, now: day + 1 }))).toBeUndefined();
});
