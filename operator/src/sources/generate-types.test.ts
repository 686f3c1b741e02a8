import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readDefinitions, type Schema } from "./definitions.ts";
import { generateTypes } from "./generate-types.ts";

test("types.ts is up to date with the CRDs (otherwise run: node operator/src/sources/generate-types.ts > operator/src/sources/types.ts)", () => {
  const written = readFileSync(new URL("types.ts", import.meta.url), "utf8");
  expect(generateTypes(readDefinitions()).replace(/\s+/g, " ")).toBe(written.replace(/\s+/g, " "));
});

test("every string of a spec has a maximum length, and every list a maximum number of items (the API server computes the cost of rules from them)", () => {
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

test("rules at the root use only the name: root rules are never ratcheted, so a new one would block finalizer changes of stored objects", () => {
  for (const { schema } of readDefinitions())
    for (const { rule } of schema["x-kubernetes-validations"] ?? [])
      expect(rule).toMatch(/^!self\.metadata\.name\./);
});
