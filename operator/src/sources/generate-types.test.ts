import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readDefinitions, type Schema } from "./definitions.ts";
import { generateTypes } from "./generate-types.ts";

test("types.ts is what the CRDs say (else: node operator/src/sources/generate-types.ts > operator/src/sources/types.ts)", () => {
  const written = readFileSync(new URL("types.ts", import.meta.url), "utf8");
  expect(generateTypes(readDefinitions()).replace(/\s+/g, " ")).toBe(written.replace(/\s+/g, " "));
});

test("every string of a spec has a length, and every list a number of items (the API server bounds the cost of rules by them)", () => {
  const unbounded: string[] = [];
  const walk = (schema: Schema, path: string): void => {
    if (schema.type === "string" && schema.enum === undefined && schema.maxLength === undefined)
      unbounded.push(path);
    if (schema.type === "array" && schema.maxItems === undefined) unbounded.push(path);
    for (const [name, property] of Object.entries(schema.properties ?? {})) walk(property, `${path}.${name}`);
    if (schema.additionalProperties !== undefined && schema.maxProperties === undefined) unbounded.push(path);
    for (const inner of [schema.items, schema.additionalProperties])
      if (inner !== undefined) walk(inner, `${path}[]`);
  };
  for (const { kind, schema } of readDefinitions()) walk(schema.properties?.["spec"] ?? {}, kind);
  expect(unbounded).toEqual([]);
});

test("rules at the root are about the name alone: they never ratchet, so that a new one would hold back the finalizers of stored objects", () => {
  for (const { schema } of readDefinitions())
    for (const { rule } of schema["x-kubernetes-validations"] ?? [])
      expect(rule).toMatch(/^!self\.metadata\.name\./);
});
