import { expect, it } from "vitest";
import { Membership } from "./membership.ts";

const address = { host: "h", port: 1 };

it("an added peer is known and not alive; after a frame it is alive for 3 s", () => {
  const membership = new Membership();
  membership.add("a", address, 0);
  expect([membership.all().length, membership.alive(0).length]).toEqual([1, 0]);
  expect(membership.recordFrame("a", address, 100)).toBe(true);
  expect(membership.recordFrame("a", address, 200)).toBe(false);
  expect([membership.isAlive("a", 3_199), membership.isAlive("a", 3_200)]).toEqual([true, false]);
  expect(membership.recordFrame("a", address, 9_000)).toBe(true);
});

it("sweep returns a peer that died since the last call, and only once", () => {
  const membership = new Membership();
  membership.recordFrame("a", address, 0);
  expect(membership.sweep(2_000, 2_999)).toEqual([]);
  expect(membership.sweep(2_999, 3_500).map(({ id }) => id)).toEqual(["a"]);
  expect(membership.sweep(3_500, 4_000)).toEqual([]);
});

it("a peer that is silent for a minute is forgotten, and can be added again", () => {
  const membership = new Membership();
  membership.recordFrame("a", address, 0);
  membership.sweep(59_000, 60_000);
  expect(membership.all()).toEqual([]);
  membership.add("a", address, 60_001);
  expect(membership.all()).toHaveLength(1);
});

it("a peer that sends every few seconds is never forgotten", () => {
  const membership = new Membership();
  for (let now = 0; now <= 180_000; now += 2_000) {
    membership.recordFrame("a", address, now);
    membership.sweep(now - 500, now);
  }
  expect(membership.alive(180_000)).toHaveLength(1);
});

it("a draining peer is alive and accepts no new requests; a peer that left is dead at once and stays dead", () => {
  const membership = new Membership();
  for (const id of ["a", "b"]) membership.recordFrame(id, address, 0);
  expect(membership.setStatus("a", "draining")).toBe(false);
  expect([membership.alive(1).length, membership.serving(1).map(({ id }) => id)]).toEqual([2, ["b"]]);
  expect([membership.setStatus("a", "left"), membership.setStatus("a", "serving")]).toEqual([true, false]);
  expect(membership.recordFrame("a", address, 2)).toBe(false);
  expect([membership.isAlive("a", 2), membership.isAlive("b", 2)]).toEqual([false, true]);
  expect(membership.setStatus("nobody", "left")).toBe(false);
});

it("a node keeps the address that it was first known by", () => {
  const membership = new Membership();
  membership.add("a", address, 0);
  membership.recordFrame("a", { host: "elsewhere", port: 2 }, 1);
  expect(membership.get("a")?.address).toEqual(address);
});
