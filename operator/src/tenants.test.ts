import { expect, test } from "vitest";
import { allowsDomains, choosesNamespace } from "./tenants.ts";

test("a namespace is chosen by name, or by its labels; labels that cannot be read match nothing", () => {
  expect(choosesNamespace({ names: ["a"] }, "a", undefined)).toBe(true);
  expect(choosesNamespace({ names: ["a"] }, "b", {})).toBe(false);
  expect(
    choosesNamespace({ names: ["a"], selector: { matchLabels: { team: "x" } } }, "b", { team: "x" }),
  ).toBe(true);
  expect(choosesNamespace({ selector: {} }, "b", {})).toBe(true);
  expect(choosesNamespace({ selector: {} }, "b", undefined)).toBe(false);
  expect(choosesNamespace({}, "b", { team: "x" })).toBe(false);
});

test.each([
  ["In", ["x"], { team: "x" }, true],
  ["In", ["x"], {}, false],
  ["NotIn", ["x"], { team: "y" }, true],
  ["NotIn", ["x"], {}, true],
  ["NotIn", ["x"], { team: "x" }, false],
  ["Exists", undefined, { team: "" }, true],
  ["Exists", undefined, {}, false],
  ["DoesNotExist", undefined, {}, true],
  ["DoesNotExist", undefined, { team: "x" }, false],
] as const)("the operator %s of %j on %j", (operator, values, labels, isChosen) => {
  const expression = { key: "team", operator, ...(values === undefined ? {} : { values }) };
  expect(choosesNamespace({ selector: { matchExpressions: [expression] } }, "n", labels)).toBe(isChosen);
});

test("every name of a domain must be below a suffix that its namespace may use", () => {
  const allowed = [
    { namespaces: { names: ["a"] }, suffixes: ["A.example"] },
    { namespaces: { names: ["b"] } },
  ];
  expect(allowsDomains(allowed, "a", undefined, ["a.example", "sip.a.example"])).toBe(true);
  expect(allowsDomains(allowed, "a", undefined, ["a.example", "b.example"])).toBe(false);
  expect(allowsDomains(allowed, "a", undefined, ["nota.example"])).toBe(false);
  expect(allowsDomains(allowed, "b", undefined, ["anything.test"])).toBe(true);
  expect(allowsDomains(allowed, "c", undefined, ["a.example"])).toBe(false);
});

test.each(["constructor", "toString", "__proto__"])("no namespace has the label %s by inheritance", (key) => {
  const chooses = (operator: "Exists" | "DoesNotExist") =>
    choosesNamespace({ selector: { matchExpressions: [{ key, operator }] } }, "n", {});
  expect([chooses("Exists"), chooses("DoesNotExist")]).toEqual([false, true]);
});
