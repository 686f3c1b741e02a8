import { describe, expect, it } from "vitest";
import { createExpiringSeal } from "./create-expiring-seal.ts";

const ring = [
  { id: "1", key: Buffer.alloc(32, 7), verifyFrom: 0, signFrom: 0, dropAfter: Number.POSITIVE_INFINITY },
];

describe("an expiring seal", () => {
  const sealedAt = (at: number, data: string) => createExpiringSeal(ring, "relay", () => at).seal(data);
  const isValidAt = (at: number, data: string, seal: string) =>
    createExpiringSeal(ring, "relay", () => at).isSealed(data, seal);

  it("is valid on every node whose clock differs by at most half a minute", () => {
    const seal = sealedAt(1_000_000, "x");
    for (const at of [1_000_000, 1_000_000 + 30_000, 1_000_000 - 30_000])
      expect(isValidAt(at, "x", seal)).toBe(true);
    expect(isValidAt(1_000_000, "y", seal)).toBe(false);
  });

  it("is not valid after a minute, so that a replayed frame is refused", () => {
    const seal = sealedAt(1_000_000, "x");
    expect(isValidAt(1_000_000 + 60_001, "x", seal)).toBe(false);
    expect(isValidAt(1_000_000 - 60_001, "x", seal)).toBe(false);
  });

  it("is valid for new data in many time windows of one process", () => {
    let now = 0;
    const seal = createExpiringSeal(ring, "relay", () => now);
    for (; now < 3_600_000; now += 17_000) expect(seal.isSealed("x", seal.seal("x"))).toBe(true);
  });
});
