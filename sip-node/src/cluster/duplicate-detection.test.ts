import { expect, it } from "vitest";
import { DuplicateDetection } from "./duplicate-detection.ts";

it("a request repeated within a second gets the same answer and is handled once", () => {
  const duplicates = new DuplicateDetection();
  let handled = 0;
  const receive = (number: number, now: number) => duplicates.answerOnce("a", number, now, () => [++handled]);
  expect([receive(1, 10_000), receive(1, 10_900), receive(2, 10_950)]).toEqual([[1], [1], [2]]);
  expect([receive(1, 11_050), receive(2, 11_940)]).toEqual([[1], [2]]); // answers of the previous generation
  expect([duplicates.answerOnce("b", 1, 11_950, () => [9]), receive(1, 14_000)]).toEqual([[9], [3]]);
});
