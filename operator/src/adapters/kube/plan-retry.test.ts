import { expect, test } from "vitest";
import { planRetry } from "./plan-retry.ts";

test("429 is sent again, after the time in Retry-After if there is one", () => {
  expect(planRetry(429, undefined, 1, 0)).toBe(1_000);
  expect(planRetry(429, "7", 1, 0)).toBe(7_000);
  expect(planRetry(429, "7", 1, 1)).toBe(8_400);
});

test("5xx is sent again only with Retry-After", () => {
  expect(planRetry(503, "1", 1, 0)).toBe(1_000);
  expect(planRetry(503, undefined, 1, 0)).toBeUndefined();
  expect(planRetry(500, undefined, 1, 0)).toBeUndefined();
});

test("no other status is sent again, no fifth attempt is made, and no wait is longer than 30 s", () => {
  for (const status of [400, 401, 403, 404, 409, 410, 422])
    expect(planRetry(status, "1", 1, 0)).toBeUndefined();
  expect(planRetry(429, "1", 5, 0)).toBeUndefined();
  expect(planRetry(429, "31", 1, 0)).toBeUndefined();
});

test("a Retry-After that is not a number of seconds counts as one second", () => {
  expect(planRetry(429, "Wed, 21 Oct 2026 07:28:00 GMT", 1, 0)).toBe(1_000);
  expect(planRetry(429, "0", 1, 0)).toBe(1_000);
});
