import { expect, it } from "vitest";
import { rendezvous } from "./rendezvous.ts";

const nodes = (letters: string) => [...letters].map((id) => ({ id }));
const keys = Array.from({ length: 300 }, (_, i) => `z9hG4bK-${i} 192.0.2.1:5060 `);

it("the choice does not depend on the order of the candidates", () => {
  for (const key of keys) expect(rendezvous(key, nodes("abc"))).toEqual(rendezvous(key, nodes("cab")));
});

it("each candidate is chosen for its share of the keys", () => {
  const shares = new Map<string, number>();
  for (const key of keys) {
    const { id } = rendezvous(key, nodes("abc"))!;
    shares.set(id, (shares.get(id) ?? 0) + 1);
  }
  expect([...shares.values()].every((share) => share > 60)).toBe(true);
});

it("when a candidate is removed, only its own keys move", () => {
  for (const key of keys) {
    const before = rendezvous(key, nodes("abc"))!.id;
    const after = rendezvous(key, nodes("ab"))!.id;
    if (before !== "c") expect(after).toBe(before);
  }
});

it("without candidates there is no choice", () => {
  expect(rendezvous("key", [])).toBeUndefined();
});

it("the choice is the same in all versions", () => {
  const candidates = ["a", "b", "c"].map((letter) => ({ id: letter.repeat(12) }));
  const chosen = ["1", "2", "3", "4"].map((key) => rendezvous(key, candidates)?.id[0]);
  expect(chosen.join("")).toBe("bbca");
});
