import { expect, it } from "vitest";
import { rendezvous } from "./rendezvous.ts";

const nodes = (letters: string) => [...letters].map((id) => ({ id }));
const keys = Array.from({ length: 300 }, (_, i) => `z9hG4bK-${i} 192.0.2.1:5060 `);

it("everybody who knows the same candidates chooses the same one, in whatever order they are known", () => {
  for (const key of keys) expect(rendezvous(key, nodes("abc"))).toEqual(rendezvous(key, nodes("cab")));
});

it("each candidate gets its share", () => {
  const shares = new Map<string, number>();
  for (const key of keys) {
    const { id } = rendezvous(key, nodes("abc"))!;
    shares.set(id, (shares.get(id) ?? 0) + 1);
  }
  expect([...shares.values()].every((share) => share > 60)).toBe(true);
});

it("a candidate that goes gives its own keys to the others, and no other key moves", () => {
  for (const key of keys) {
    const before = rendezvous(key, nodes("abc"))!.id;
    const after = rendezvous(key, nodes("ab"))!.id;
    if (before !== "c") expect(after).toBe(before);
  }
});

it("nobody is chosen from none", () => {
  expect(rendezvous("key", [])).toBeUndefined();
});

it("nodes of all versions choose alike", () => {
  const candidates = ["a", "b", "c"].map((letter) => ({ id: letter.repeat(12) }));
  const chosen = ["1", "2", "3", "4"].map((key) => rendezvous(key, candidates)?.id[0]);
  expect(chosen.join("")).toBe("bbca");
});
