import { expect, test } from "vitest";
import { errorSummary } from "./error-summary.ts";

const stamp = "2026-01-01\t12:00:00.123456\t1795781074.435220: ";
const log = (...entries: readonly string[]): string =>
  `The following events occurred:\n${entries.map((entry) => stamp + entry).join("")}`;

test("equal errors of different calls are counted together, with the kind of the received message", () => {
  const dead = (call: string): string =>
    `Dead call ${call}@127.0.0.2 (successful), received 'SIP/2.0 200 OK\r\nCall-ID: ${call}\r\n\r\n'`;
  expect(errorSummary(log(dead("1-99"), "Receive timeout at call 7-99\n", dead("2-99")))).toBe(
    "2 × Dead call # (successful): SIP/2.0 200; 1 × Receive timeout at call #",
  );
});

test("the three most frequent ones are shown", () => {
  const entries = ["a\n", "b\n", "b\n", "c\n", "d\n", "d\n", "c\n", "c\n"];
  expect(errorSummary(log(...entries))).toBe("3 × c; 2 × b; 2 × d");
  expect(errorSummary("")).toBe("");
});
