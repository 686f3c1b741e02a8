import { expect, test } from "vitest";
import { NameIndex } from "./name-index.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "./object.ts";

/** Objects of one kind, whose names are their spec. */
function given(all: Readonly<Record<ObjectKey, readonly string[]>>) {
  const objects = new Map<ObjectKey, KubernetesObject>();
  const put = (key: ObjectKey, spec: readonly string[]): void => {
    objects.set(key, { kind: "Thing", metadata: { ...splitKey(key), uid: key, generation: 1 }, spec });
  };
  for (const [key, names] of Object.entries(all)) put(key as ObjectKey, names);
  let lists = 0;
  const index = new NameIndex(
    {
      get: (_kind, key) => objects.get(key),
      list: () => ((lists += 1), [...objects.values()]),
    },
    "Thing",
    ({ spec }) => spec as readonly string[],
  );
  const wanting = (name: string): readonly string[] => index.find(name).map(({ metadata }) => metadata.name);
  const changed = (key: ObjectKey, kind = "Thing", what: "object" | "status" = "object"): void =>
    index.update({ kind, key, what });
  return { objects, put, wanting, changed, lists: () => lists };
}

test("an object is found by each of its names, and the objects are listed once", () => {
  const { wanting, lists } = given({ "ns/a": ["x", "y"], "ns/b": ["x"] });
  expect([wanting("x"), wanting("y"), wanting("z")]).toEqual([["a", "b"], ["a"], []]);
  expect(lists()).toBe(1);
});

test("changed, added and removed objects are found in their present state", () => {
  const { objects, put, wanting, changed } = given({ "ns/a": ["x"], "ns/b": ["x"] });
  wanting("x");
  put("ns/a", ["y"]);
  changed("ns/a");
  objects.delete("ns/b");
  changed("ns/b");
  put("ns/c", ["x"]);
  changed("ns/c");
  expect([wanting("x"), wanting("y")]).toEqual([["c"], ["a"]]);
});

test("a change before the first use is in the list; changes of other kinds and of statuses are ignored", () => {
  const { put, wanting, changed } = given({ "ns/a": ["x"] });
  put("ns/b", ["x"]);
  changed("ns/b");
  expect(wanting("x")).toEqual(["a", "b"]);
  put("ns/a", ["y"]);
  changed("ns/a", "Other");
  changed("ns/a", "Thing", "status");
  expect(wanting("y")).toEqual([]);
});
