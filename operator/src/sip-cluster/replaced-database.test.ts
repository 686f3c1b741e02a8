import { expect, test } from "vitest";
import type { Condition } from "../runtime/condition.ts";
import { ReplacedDatabase, type DatabaseObservation } from "./replaced-database.ts";

const day = 24 * 3_600_000;
const sighting = (
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
  expect(seen.observe(sighting(undefined, "old"))).toBeUndefined();
  expect(seen.observe(sighting("old", "old"))).toBeUndefined();
});

test("another database with the same spec is a notice for one day", () => {
  const seen = new ReplacedDatabase();
  seen.observe(sighting("old", "old"));
  expect(seen.observe(sighting("old", "new"))).toMatch(message);
  expect(seen.observe(sighting("new", "new", { now: day - 1 }))).toMatch(message);
  expect(seen.observe(sighting("new", "new", { now: day }))).toBeUndefined();
});

test("a database that the spec or an annotation requests gives no notice, also when it opens after the change of the spec", () => {
  const seen = new ReplacedDatabase();
  seen.observe(sighting("old", "old"));
  const status = { observedGeneration: 2, installationId: "old" };
  // Twice: the first status may not have been written
  for (let time = 0; time < 2; time++)
    expect(seen.observe(sighting("old", "new", { generation: 2, status }))).toBeUndefined();
  expect(seen.observe(sighting("new", "new", { generation: 2 }))).toBeUndefined();
  expect(seen.observe(sighting("new", "third", { generation: 2, isTakeOver: true }))).toBeUndefined();
  expect(new ReplacedDatabase().observe(sighting("old", "new", { generation: 2 }))).toBeUndefined();
});

test("an operator that has just started continues the notice for one day", () => {
  const verdict = {
    type: "DatabaseReady",
    status: "True",
    reason: "DatabaseReplaced",
    message: "said before",
  };
  const conditions = [{ ...verdict, lastTransitionTime: "", observedGeneration: 1 } as Condition];
  const status = { observedGeneration: 1, installationId: "new", conditions };
  const seen = new ReplacedDatabase();
  expect(seen.observe(sighting("new", "new", { status }))).toBe("said before");
  expect(seen.observe(sighting("new", "new", { status, now: day - 1 }))).toBe("said before");
  expect(seen.observe(sighting("new", "new", { status, now: day }))).toBeUndefined();
  expect(seen.observe(sighting("new", "new", { status, now: day + 1 }))).toBeUndefined();
});
