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
// the rotation of design-sip rule 18: verify, then sign, then drop the old one
const ring = [entry("old", 0, 0, 300), entry("new", 100, 200, Infinity)];

describe("key ring", () => {
  it("RFC 5869: keys are HKDF-SHA-256 of the ring's, and each purpose has its own", () => {
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

describe("seal", () => {
  const at = (now: number, keys = ring) => createSeal(keys, "branch", () => now);

  it("has the documented length and characters, and is valid for its data and purpose only", () => {
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

  it("rotation: a seal of a new key is valid once the key verifies, one of an old key until it is dropped", () => {
    const old = at(150).seal("data");
    const young = at(250).seal("data");
    expect(old.slice(0, 2)).toBe(shortId("old"));
    expect(young.slice(0, 2)).toBe(shortId("new"));
    expect([50, 100].map((now) => at(now).isSealed("data", young))).toEqual([false, true]);
    expect([300, 301].map((now) => at(now).isSealed("data", old))).toEqual([true, false]);
  });

  it("every key is tried whose id has the same short form", () => {
    const seen = new Map<string, string>();
    let twins: readonly [string, string] | undefined;
    for (let i = 0; twins === undefined; i++) {
      const other = seen.get(shortId(`k${i}`));
      if (other !== undefined) twins = [other, `k${i}`];
      seen.set(shortId(`k${i}`), `k${i}`);
    }
    const both = [entry(twins[0], 0, 0, 9), entry(twins[1], 0, 1, 9)];
    expect(at(1, both).isSealed("x", at(0, both).seal("x"))).toBe(true);
    expect(at(0, both).isSealed("x", at(1, both).seal("x"))).toBe(true);
  });

  it("throws when no key may sign", () => {
    expect(() => at(0, []).seal("x")).toThrow(RangeError);
  });
});
