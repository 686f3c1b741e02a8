import { describe, expect, it } from "vitest";
import { createFreshSeal } from "./fresh-seal.ts";

const ring = [
  { id: "1", key: Buffer.alloc(32, 7), verifyFrom: 0, signFrom: 0, dropAfter: Number.POSITIVE_INFINITY },
];

describe("fresh seal", () => {
  const sealedAt = (at: number, data: string) => createFreshSeal(ring, "relay", () => at).seal(data);
  const isBelievedAt = (at: number, data: string, seal: string) =>
    createFreshSeal(ring, "relay", () => at).isSealed(data, seal);

  it("is believed by every node now, and by one whose clock differs by half a minute", () => {
    const seal = sealedAt(1_000_000, "x");
    for (const at of [1_000_000, 1_000_000 + 30_000, 1_000_000 - 30_000])
      expect(isBelievedAt(at, "x", seal)).toBe(true);
    expect(isBelievedAt(1_000_000, "y", seal)).toBe(false);
  });

  it("is not believed after a minute: a replayed frame is refused", () => {
    const seal = sealedAt(1_000_000, "x");
    expect(isBelievedAt(1_000_000 + 60_001, "x", seal)).toBe(false);
    expect(isBelievedAt(1_000_000 - 60_001, "x", seal)).toBe(false);
  });

  it("works on through many windows of one process", () => {
    let now = 0;
    const seal = createFreshSeal(ring, "relay", () => now);
    for (; now < 3_600_000; now += 17_000) expect(seal.isSealed("x", seal.seal("x"))).toBe(true);
  });
});
