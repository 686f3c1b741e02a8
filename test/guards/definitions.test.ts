/** The texts of the CRDs, which `kubectl explain` and `kubectl get` show. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Definition, readDefinitions, type Schema } from "../../operator/src/sources/definitions.ts";

interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** The API server has descriptions for these fields. */
const describedByServer = ["apiVersion", "kind", "metadata"];

/** The kind itself and all its named fields, in the order of the schema. */
function listFields({ kind, schema }: Definition): readonly Field[] {
  const below = (at: Schema, path: string): readonly Field[] => {
    const named = Object.entries(at.properties ?? {})
      .filter(([name]) => path !== kind || !describedByServer.includes(name))
      .flatMap(([name, property]) => {
        const isRequired = at.required?.includes(name) === true;
        return [
          { path: `${path}.${name}`, schema: property, isRequired },
          ...below(property, `${path}.${name}`),
        ];
      });
    return [
      ...named,
      ...[at.items, at.additionalProperties].flatMap((inner) => (inner ? below(inner, `${path}[]`) : [])),
    ];
  };
  return [{ path: kind, schema, isRequired: true }, ...below(schema, kind)];
}

const withoutDescription = (fields: readonly Field[]): readonly string[] =>
  fields.filter(({ schema }) => !/^[A-Z].*\.$/s.test(schema.description ?? "")).map(({ path }) => path);

/** The optional fields of a spec whose description has no default, or another default than the schema. */
const withoutDefault = (fields: readonly Field[]): readonly string[] =>
  fields
    .filter(({ path, isRequired }) => path.includes(".spec.") && !isRequired)
    .filter(({ schema: { description = "", default: value } }) => {
      const isText = ["string", "number", "boolean"].includes(typeof value);
      return !description.includes(isText ? `Defaults to ${String(value)}.` : "Defaults to ");
    })
    .map(({ path }) => path);

/** The numbers that are a duration without a unit in their name, or have a unit in their name and are not a duration. */
const withoutUnit = (fields: readonly Field[]): readonly string[] =>
  fields
    .filter(({ schema }) => schema.type === "integer" || schema.type === "number")
    .filter(({ path, schema: { description = "" } }) => {
      const isTime = /\b(milliseconds|seconds|minutes|hours|days)\b/i.test(description);
      return isTime !== path.endsWith("Seconds") || isTime !== /\bseconds\b/i.test(description);
    })
    .map(({ path }) => path);

const fields = readDefinitions().flatMap(listFields);

test("every kind and every field has a description, in sentences", () => {
  expect(fields.length).toBeGreaterThan(150);
  expect(withoutDescription(fields)).toEqual([]);
});

test("every optional field of a spec has its default in the description", () => {
  expect(withoutDefault(fields)).toEqual([]);
});

test("a duration has its unit in its name and in its description", () => {
  expect(fields.filter(({ path }) => path.endsWith("Seconds")).length).toBeGreaterThan(4);
  expect(withoutUnit(fields)).toEqual([]);
});

test("Ready and its reason are the first columns of every kind", () => {
  const folder = join(import.meta.dirname, "../../crds");
  for (const file of readdirSync(folder)) {
    const { spec } = parse(readFileSync(join(folder, file), "utf8")) as {
      readonly spec: {
        readonly versions: readonly {
          readonly additionalPrinterColumns: readonly { readonly name: string }[];
        }[];
      };
    };
    for (const { additionalPrinterColumns: columns } of spec.versions)
      expect(
        columns.slice(0, 2).map(({ name }) => name),
        file,
      ).toEqual(["Ready", "Reason"]);
  }
});

describe("the checks find violations", () => {
  const found = (
    check: (fields: readonly Field[]) => readonly string[],
    properties: Schema["properties"] & {},
  ) =>
    check(
      listFields({
        kind: "K",
        apiVersion: "g/v",
        schema: { description: "K.", properties: { spec: { description: "S.", properties } } },
      }),
    );

  test.each<[Schema]>([[{ type: "string" }], [{ description: "" }], [{ description: "no sentence" }]])(
    "%o has no valid description",
    (field) => {
      expect(found(withoutDescription, { field })).toEqual(["K.spec.field"]);
      expect(
        found(withoutDescription, { list: { description: "L.", items: { properties: { field } } } }),
      ).toEqual(["K.spec.list[].field"]);
    },
  );

  test.each<[Schema]>([
    [{ description: "A number." }],
    [{ description: "A number. Defaults to 4.", default: 5 }],
    [{ description: "A number. Defaults to 55.", default: 5 }],
  ])("%o has no valid default in its description", (field) => {
    expect(found(withoutDefault, { field })).toEqual(["K.spec.field"]);
  });

  test("a duration without its unit in its name, with another unit, and a number that is not a duration", () => {
    const seconds: Schema = { type: "integer", description: "Seconds of waiting." };
    const minutes: Schema = { type: "integer", description: "Minutes of waiting." };
    const count: Schema = { type: "integer", description: "Number of phones." };
    expect(found(withoutUnit, { timeout: seconds, waitSeconds: seconds })).toEqual(["K.spec.timeout"]);
    expect(found(withoutUnit, { wait: minutes, waitSeconds: minutes, phonesSeconds: count })).toEqual([
      "K.spec.wait",
      "K.spec.waitSeconds",
      "K.spec.phonesSeconds",
    ]);
  });
});
