import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashKey, isSameText, keyedHash } from "./keyed-hash.ts";

const key = hashKey(Buffer.alloc(32, 7));

describe("a keyed hash", () => {
  it("is SHA-256 over one block of the key and the data", () => {
    expect(key).toHaveLength(64);
    const expected = createHash("sha256").update(key).update("data").digest("base64url");
    expect(keyedHash(key, "data")).toBe(expected);
    expect(keyedHash(key, Buffer.from("data"))).toBe(expected);
    expect(keyedHash(hashKey(Buffer.alloc(32, 8)), "data")).not.toBe(expected);
  });

  it("differs for two texts that are one text in UTF-8 and latin1", () => {
    expect(keyedHash(key, "é")).not.toBe(keyedHash(key, "\xc3\xa9"));
  });
});

it("texts are the same only with all their characters", () => {
  expect(isSameText("xxabc", 2, "abc")).toBe(true);
  for (const [given, at] of [
    ["xxabd", 2],
    ["xxzbc", 2],
    ["xxab", 2],
    ["xxabcd", 2],
    ["", 0],
  ] as const)
    expect(isSameText(given, at, "abc"), given).toBe(false);
});
