import { expect, test } from "vitest";
import { findMaximum } from "./find-maximum.ts";

const server = (capacity: number) => (rate: number) =>
  Promise.resolve(rate <= capacity ? undefined : "too fast");

test("doubles until the first failure, then halves the interval a bounded number of times", async () => {
  const { rate, steps } = await findMaximum({ first: 500, limit: 8000, bisections: 3 }, server(2700));
  expect(steps.map((step) => step.rate)).toEqual([500, 1000, 2000, 4000, 3000, 2500, 2750]);
  expect(rate).toBe(2500);
});

test("a server that fails at the first rate is searched below it", async () => {
  expect((await findMaximum({ first: 500, limit: 8000, bisections: 2 }, server(130))).rate).toBe(125);
  expect((await findMaximum({ first: 500, limit: 8000, bisections: 2 }, server(0))).rate).toBe(0);
});

test("the limit ends the search without a failure", async () => {
  const { rate, steps } = await findMaximum({ first: 500, limit: 2000, bisections: 3 }, server(1e9));
  expect(rate).toBe(2000);
  expect(steps).toHaveLength(3);
});
