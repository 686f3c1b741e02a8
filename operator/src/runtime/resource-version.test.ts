import { expect, test } from "vitest";
import { isLater } from "./resource-version.ts";

test("versions are compared as numbers, of any length", () => {
  expect(isLater("10", "9")).toBe(true);
  expect(isLater("9", "10")).toBe(false);
  expect(isLater("18446744073709551616", "18446744073709551615")).toBe(true);
  expect(isLater("5", "5")).toBe(false);
});

test("a version that is no number counts as later, unless it is equal", () => {
  expect(isLater("abc", "5")).toBe(true);
  expect(isLater(undefined, "5")).toBe(true);
  expect(isLater("abc", "abc")).toBe(false);
});
