/** The stages of a node from start to exit (design-sip rules 20 and 21). */
import { expect, it } from "vitest";
import { LifeCycle } from "./life-cycle.ts";

const busy = { isDrained: false, owesAnswers: true };
const idle = { isDrained: true, owesAnswers: false };
const resting = { isDrained: false, owesAnswers: false }; // transactions in their last 32 seconds

function serving(): LifeCycle {
  const life = new LifeCycle();
  life.serve();
  return life;
}

it("a node is ready once it serves, and stays ready while it drains", () => {
  const life = new LifeCycle();
  expect(life.isReady).toBe(false);
  life.serve();
  life.drain(0);
  expect([life.isReady, life.isDraining, life.stage]).toEqual([true, true, "draining"]);
});

it("a node that serves does not exit, even without work", () => {
  expect(serving().mayLeave(1_000_000, 0, idle)).toBe(false);
});

it("a draining node exits when no work is left and load balancers have removed it, or after the timeout then in force", () => {
  const life = serving();
  life.drain(1_000);
  expect([30_999, 31_000].map((now) => life.mayLeave(now, 240_000, idle))).toEqual([false, true]);
  expect([busy, resting].map((work) => life.mayLeave(240_999, 240_000, work))).toEqual([false, false]);
  expect(life.mayLeave(241_000, 240_000, busy)).toBe(true);
  expect(life.mayLeave(3_000, 2_000, busy)).toBe(true);
});

it("a second drain does not restart the first", () => {
  const life = serving();
  expect([life.drain(0), life.drain(100_000)]).toEqual([true, false]);
  expect(life.mayLeave(240_000, 240_000, busy)).toBe(true);
});

it("in a hurry, only requests without a final response are waited for, five seconds at most", () => {
  const life = serving();
  life.drain(0);
  life.hurry(10_000);
  life.hurry(14_000);
  expect(life.mayLeave(10_001, 240_000, resting)).toBe(true);
  expect([14_999, 15_000].map((now) => life.mayLeave(now, 240_000, busy))).toEqual([false, true]);
});

it("a node that never served exits at once", () => {
  const life = new LifeCycle();
  expect(life.mayLeave(0, 240_000, busy)).toBe(false);
  life.drain(0);
  life.serve();
  expect([life.mayLeave(0, 240_000, busy), life.isReady]).toEqual([true, false]);
});
