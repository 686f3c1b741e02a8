import { expect, test } from "vitest";
import { planRetry } from "./plan-retry.ts";

test("429 is sent again, after Retry-After where it is said", () => {
  expect(planRetry(429, undefined, 1, 0)).toBe(1_000);
  expect(planRetry(429, "7", 1, 0)).toBe(7_000);
  expect(planRetry(429, "7", 1, 1)).toBe(8_400);
});

test("5xx is sent again only where Retry-After asks for it", () => {
  expect(planRetry(503, "1", 1, 0)).toBe(1_000);
  expect(planRetry(503, undefined, 1, 0)).toBeUndefined();
  expect(planRetry(500, undefined, 1, 0)).toBeUndefined();
});

test("nothing else is, nor a fifth time, nor after a wait that the caller's back-off had better make", () => {
  for (const status of [400, 401, 403, 404, 409, 410, 422])
    expect(planRetry(status, "1", 1, 0)).toBeUndefined();
  expect(planRetry(429, "1", 5, 0)).toBeUndefined();
  expect(planRetry(429, "31", 1, 0)).toBeUndefined();
});

test("a Retry-After that is no number of seconds counts as one", () => {
  expect(planRetry(429, "Wed, 21 Oct 2026 07:28:00 GMT", 1, 0)).toBe(1_000);
  expect(planRetry(429, "0", 1, 0)).toBe(1_000);
});
