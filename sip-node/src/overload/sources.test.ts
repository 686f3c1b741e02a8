import { expect, it } from "vitest";
import { Sources } from "./sources.ts";

const limits = { register: 2, call: 1, other: 3 };
const countTaken = (
  sources: Sources,
  address: string,
  budget: "register" | "call" | "refusal",
  now: number,
) => {
  let taken = 0;
  while (taken < 1_000 && sources.take(address, budget, now)) taken += 1;
  return taken;
};

it("a source has ten seconds of each budget at once, and then the rate; the budgets are separate", () => {
  const sources = new Sources(limits);
  expect(countTaken(sources, "192.0.2.1", "register", 0)).toBe(20);
  expect(countTaken(sources, "192.0.2.1", "call", 0)).toBe(10);
  expect(countTaken(sources, "192.0.2.1", "register", 1_500)).toBe(3);
  expect(countTaken(sources, "192.0.2.1", "register", 1_000_000)).toBe(20);
  expect(countTaken(sources, "192.0.2.2", "register", 1_000_000)).toBe(20);
});

it("a changed limit applies to sources that are known already", () => {
  const sources = new Sources(limits);
  countTaken(sources, "192.0.2.1", "register", 0);
  sources.limits = { ...limits, register: 50 };
  expect(countTaken(sources, "192.0.2.1", "register", 1_000)).toBe(50);
});

it("a clock that goes back takes nothing", () => {
  const sources = new Sources(limits);
  sources.take("192.0.2.1", "register", 10_000);
  expect(countTaken(sources, "192.0.2.1", "register", 0)).toBe(19);
});

it("a source is trusted for a day after a login", () => {
  const sources = new Sources(limits);
  sources.trust("192.0.2.1", 0);
  expect(sources.isTrusted("192.0.2.1", 86_399_999)).toBe(true);
  expect(sources.isTrusted("192.0.2.1", 86_400_000)).toBe(false);
  expect(sources.isTrusted("192.0.2.2", 0)).toBe(false);
  expect(countTaken(sources, "192.0.2.1", "call", 90_000_000)).toBe(10);
  expect(sources.sizes).toEqual({ strangers: 1, trusted: 0 });
});

it("both tables are bounded, and strangers displace strangers only", () => {
  const sources = new Sources(limits, 10);
  sources.trust("198.51.100.1", 0);
  for (let i = 0; i < 1_000; i++) {
    sources.take(`10.0.${i >> 8}.${i & 255}`, "other", i);
    sources.take("192.0.2.1", "register", i); // it is used all the time
  }
  expect(sources.sizes).toEqual({ strangers: 10, trusted: 1 });
  expect(sources.isTrusted("198.51.100.1", 1_000)).toBe(true);
  expect(countTaken(sources, "192.0.2.1", "register", 1_000)).toBeLessThan(3);
  for (let i = 0; i < 1_000; i++) sources.trust(`10.1.${i >> 8}.${i & 255}`, 2_000);
  expect(sources.sizes.trusted).toBe(10);
});
