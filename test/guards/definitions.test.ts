/** What the CRDs say to people, as `kubectl explain` and `kubectl get` show it. */
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

/** The API server describes these itself. */
const described = ["apiVersion", "kind", "metadata"];

/** The kind itself, and every field that has a name, in the order of the schema. */
function fieldsOf({ kind, schema }: Definition): readonly Field[] {
  const below = (at: Schema, path: string): readonly Field[] => {
    const named = Object.entries(at.properties ?? {})
      .filter(([name]) => path !== kind || !described.includes(name))
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

const undescribed = (fields: readonly Field[]): readonly string[] =>
  fields.filter(({ schema }) => !/^[A-Z].*\.$/s.test(schema.description ?? "")).map(({ path }) => path);

/** Optional fields of a spec that do not say what holds without them, or say another default than the schema has. */
const withoutDefault = (fields: readonly Field[]): readonly string[] =>
  fields
    .filter(({ path, isRequired }) => path.includes(".spec.") && !isRequired)
    .filter(({ schema: { description = "", default: value } }) => {
      const isText = ["string", "number", "boolean"].includes(typeof value);
      return !description.includes(isText ? `Defaults to ${String(value)}.` : "Defaults to ");
    })
    .map(({ path }) => path);

/** Numbers that are a time and do not have their unit in their name, and the reverse. */
const withoutUnit = (fields: readonly Field[]): readonly string[] =>
  fields
    .filter(({ schema }) => schema.type === "integer" || schema.type === "number")
    .filter(({ path, schema: { description = "" } }) => {
      const isTime = /\b(milliseconds|seconds|minutes|hours|days)\b/i.test(description);
      return isTime !== path.endsWith("Seconds") || isTime !== /\bseconds\b/i.test(description);
    })
    .map(({ path }) => path);

const fields = readDefinitions().flatMap(fieldsOf);

test("every kind and every field has a description, in sentences", () => {
  expect(fields.length).toBeGreaterThan(150);
  expect(undescribed(fields)).toEqual([]);
});

test("every optional field of a spec says its default", () => {
  expect(withoutDefault(fields)).toEqual([]);
});

test("a time says its unit in its name, and in its description", () => {
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

describe("planted breaches", () => {
  const found = (
    check: (fields: readonly Field[]) => readonly string[],
    properties: Schema["properties"] & {},
  ) =>
    check(
      fieldsOf({
        kind: "K",
        apiVersion: "g/v",
        schema: { description: "K.", properties: { spec: { description: "S.", properties } } },
      }),
    );

  test.each<[Schema]>([[{ type: "string" }], [{ description: "" }], [{ description: "no sentence" }]])(
    "%o is not described",
    (field) => {
      expect(found(undescribed, { field })).toEqual(["K.spec.field"]);
      expect(found(undescribed, { list: { description: "L.", items: { properties: { field } } } })).toEqual([
        "K.spec.list[].field",
      ]);
    },
  );

  test.each<[Schema]>([
    [{ description: "A number." }],
    [{ description: "A number. Defaults to 4.", default: 5 }],
    [{ description: "A number. Defaults to 55.", default: 5 }],
  ])("%o does not say its default", (field) => {
    expect(found(withoutDefault, { field })).toEqual(["K.spec.field"]);
  });

  test("a time without its unit in its name, another unit, and a number that is no time", () => {
    const seconds: Schema = { type: "integer", description: "Seconds of patience." };
    const minutes: Schema = { type: "integer", description: "Minutes of patience." };
    const count: Schema = { type: "integer", description: "Number of phones." };
    expect(found(withoutUnit, { timeout: seconds, waitSeconds: seconds })).toEqual(["K.spec.timeout"]);
    expect(found(withoutUnit, { wait: minutes, waitSeconds: minutes, phonesSeconds: count })).toEqual([
      "K.spec.wait",
      "K.spec.waitSeconds",
      "K.spec.phonesSeconds",
    ]);
  });
});
