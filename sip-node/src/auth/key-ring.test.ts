import { hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sealLength } from "../wire/seal.ts";
import { createSeal } from "./create-seal.ts";
import { deriveKey, deriveRing, type RingKey, shortId, signingKey } from "./key-ring.ts";

const entry = (id: string, verifyFrom: number, signFrom: number, dropAfter: number): RingKey => ({
  id,
  key: Buffer.alloc(32, id),
  verifyFrom,
  signFrom,
  dropAfter,
});
// the rotation of design-sip rule 18: the new key verifies, then signs, then the old key is dropped
const ring = [entry("old", 0, 0, 300), entry("new", 100, 200, Infinity)];

describe("a key ring", () => {
  it("RFC 5869: derives a key for each purpose with HKDF-SHA-256", () => {
    const expected = Buffer.from(
      hkdfSync("sha256", ring[0]!.key, Buffer.alloc(0), Buffer.from("strowger nonce"), 32),
    );
    expect(Buffer.from(deriveKey(ring[0]!, "nonce"))).toEqual(expected);
    expect(deriveKey(ring[0]!, "branch")).not.toEqual(deriveKey(ring[0]!, "nonce"));
    expect(deriveRing(ring, "nonce").map(({ id, signFrom }) => [id, signFrom])).toEqual([
      ["old", 0],
      ["new", 200],
    ]); // prettier-ignore
  });

  it("signs with the newest key that may sign", () => {
    expect([0, 199, 200, 300, 999].map((now) => signingKey(ring, now)?.id)).toEqual([
      "old",
      "old",
      "new",
      "new",
      "new",
    ]);
    expect(signingKey([entry("x", 0, 50, 60)], 10)).toBeUndefined();
    expect(signingKey([entry("x", 0, 50, 60)], 61)).toBeUndefined();
  });
});

describe("a seal", () => {
  const at = (now: number, keys = ring) => createSeal(keys, "branch", () => now);

  it("has the documented length and characters, and is valid only for its data and purpose", () => {
    const seal = at(0).seal("data");
    expect(seal).toMatch(/^[\w-]{18}$/);
    expect(seal).toHaveLength(sealLength);
    expect(at(0).isSealed("data", seal)).toBe(true);
    expect(at(0).isSealed(Buffer.from("data"), seal)).toBe(true);
    expect(at(0).isSealed("Data", seal)).toBe(false);
    expect(createSeal(ring, "flow token", () => 0).isSealed("data", seal)).toBe(false);
    for (let i = 0; i < seal.length; i++) {
      const other = seal.slice(0, i) + (seal[i] === "A" ? "B" : "A") + seal.slice(i + 1);
      expect(at(0).isSealed("data", other), other).toBe(false);
    }
    for (const bad of ["", "é".repeat(18), seal + "A", seal.slice(0, -1)])
      expect(at(0).isSealed("data", bad)).toBe(false);
  });

  it("is valid during a rotation from the time when its new key verifies, or until its old key is dropped", () => {
    const oldSeal = at(150).seal("data");
    const newSeal = at(250).seal("data");
    expect(oldSeal.slice(0, 2)).toBe(shortId("old"));
    expect(newSeal.slice(0, 2)).toBe(shortId("new"));
    expect([50, 100].map((now) => at(now).isSealed("data", newSeal))).toEqual([false, true]);
    expect([300, 301].map((now) => at(now).isSealed("data", oldSeal))).toEqual([true, false]);
  });

  it("is verified with every key whose id has the same short form", () => {
    const ids = new Map<string, string>();
    let twins: readonly [string, string] | undefined;
    for (let i = 0; twins === undefined; i++) {
      const other = ids.get(shortId(`k${i}`));
      if (other !== undefined) twins = [other, `k${i}`];
      ids.set(shortId(`k${i}`), `k${i}`);
    }
    const both = [entry(twins[0], 0, 0, 9), entry(twins[1], 0, 1, 9)];
    expect(at(1, both).isSealed("x", at(0, both).seal("x"))).toBe(true);
    expect(at(0, both).isSealed("x", at(1, both).seal("x"))).toBe(true);
  });

  it("cannot be made when no key may sign", () => {
    expect(() => at(0, []).seal("x")).toThrow(RangeError);
  });
});
