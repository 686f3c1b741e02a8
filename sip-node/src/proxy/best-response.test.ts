/** The response of a fork that is forwarded to the caller (RFC 3261 §16.7 step 6). */
import { expect, it } from "vitest";
import { bestResponse } from "./best-response.ts";

const best = (...codes: number[]) => bestResponse(codes.map((status) => ({ status })))?.status;

it.each([
  [[486], 486],
  [[404, 603, 486], 603],
  [[500, 404], 404],
  [[404, 302], 302],
  [[503, 500], 500],
  [[486, 401], 401],
  [[480, 407], 407],
  [[404, 415], 415],
  [[404, 420], 420],
  [[404, 484], 484],
  [[400, 407], 407],
  [[402, 415], 415],
  [[407, 401], 401],
  [[408, 486], 486],
  [[408, 487], 487],
  [[408, 408], 408],
  [[408, 503], 408],
  [[503, 504], 504],
])("the best response of %j is %i, in any order", (codes, expected) => {
  expect(best(...codes)).toBe(expected);
  expect(best(...[...codes].reverse())).toBe(expected);
});

it("the best of equal responses is the first one, and no response gives undefined", () => {
  const first = { status: 486 };
  expect(bestResponse([first, { status: 486 }])).toBe(first);
  expect(best()).toBeUndefined();
});
