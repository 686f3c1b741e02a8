/** The table of test/golden/admission against the files source. The API server meets the same in test/parts/api-server. */
import { expect, test } from "vitest";
import { readDefinitions, type Schema } from "../../operator/src/sources/definitions.ts";
import { admit } from "../../operator/src/sources/files/admit.ts";
import { admissionCases } from "./admission/cases.ts";

const cases = admissionCases();

test.for(cases.map((one) => [one.title, one] as const))("%s", ([, { object, old, refused, as }]) => {
  const admitted = admit(object, old?.spec);
  const problems = "kind" in admitted ? [] : admitted.map(({ message }) => message);
  if (refused === undefined) {
    expect(problems).toEqual([]);
    expect(admitted).toMatchObject({ spec: as });
  } else {
    const { field, says } = refused;
    expect(problems.join("\n")).toContain(field);
    expect(problems.filter((text) => text.includes(field) && text.includes(says))).not.toEqual([]);
  }
});

test("each title is there once", () => {
  expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
});

test("what was stored before was admitted itself", () => {
  for (const { title, old } of cases)
    if (old !== undefined) expect(admit(old, undefined), title).toHaveProperty("kind");
});

test("every rule of the CRDs is broken by a case, at every place where it stands", () => {
  const unbroken: string[] = [];
  const walk = (kind: string, schema: Schema, path: readonly string[]): void => {
    for (const { message = "", fieldPath = "" } of schema["x-kubernetes-validations"] ?? []) {
      const place = [...path, ...fieldPath.split(".").slice(1)];
      const isBroken = cases.some(
        ({ object, refused }) =>
          object.kind === kind &&
          refused !== undefined &&
          refused.says !== "" &&
          message.includes(refused.says) &&
          refused.field.replace(/\.\d+/g, ".#").startsWith(path.join(".")),
      );
      if (!isBroken) unbroken.push(`${kind} ${place.join(".")}: ${message}`);
    }
    for (const [name, property] of Object.entries(schema.properties ?? {}))
      walk(kind, property, [...path, name]);
    if (schema.items !== undefined) walk(kind, schema.items, [...path, "#"]);
  };
  for (const { kind, schema } of readDefinitions()) walk(kind, schema, []);
  expect(unbroken).toEqual([]);
});
