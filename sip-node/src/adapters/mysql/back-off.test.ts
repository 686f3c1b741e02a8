import { expect, it } from "vitest";
import { BackOff } from "./back-off.ts";

it("no pause after one failure; then 50 ms, doubled up to 2 s, until a success", () => {
  const backOff = new BackOff();
  backOff.failed(0);
  expect(backOff.mayTry(0)).toBe(true);
  const pauses: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    backOff.failed(now);
    const start = now;
    while (!backOff.mayTry(now)) now += 1;
    pauses.push(now - start);
  }
  expect(pauses).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
  backOff.succeeded();
  backOff.failed(now);
  expect(backOff.mayTry(now)).toBe(true);
});

it("failures during a pause do not make it longer", () => {
  const backOff = new BackOff();
  backOff.failed(0);
  for (let i = 0; i < 10; i++) backOff.failed(0);
  expect(backOff.mayTry(49)).toBe(false);
  expect(backOff.mayTry(50)).toBe(true);
});
