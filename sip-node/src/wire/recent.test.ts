import { expect, it } from "vitest";
import { Recent } from "./recent.ts";

it("entries that are used stay, others are forgotten", () => {
  const recent = new Recent<number, string>(10);
  for (let i = 0; i < 1_000; i++) {
    recent.set(i, `value ${i}`);
    if (i >= 5) expect(recent.get(5)).toBe("value 5");
  }
  expect(recent.get(999)).toBe("value 999");
  const kept = Array.from({ length: 1_000 }, (_, i) => recent.get(i)).filter((value) => value !== undefined);
  expect(kept.length).toBeLessThanOrEqual(20);
});
