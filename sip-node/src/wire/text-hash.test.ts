import { expect, it } from "vitest";
import { textHash } from "./text-hash.ts";

it("depends on every character and on the places where texts end", () => {
  const hashes = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["abd"], ["", "abc"]].map(textHash);
  expect(new Set(hashes).size).toBe(hashes.length);
});

it("a hundred thousand numbers have almost as many hashes", () => {
  const hashes = new Set(Array.from({ length: 100_000 }, (_, i) => textHash(["call", String(i)])));
  expect(hashes.size).toBeGreaterThan(99_990); // 1.2 collisions are expected of 32 random bits
});
