/**
 * Generates the operator's types from the CRDs: `node operator/src/sources/generate-types.ts > operator/src/sources/types.ts`.
 * A unit test compares the file with the output.
 */
import { readDefinitions, type Definition, type Schema } from "./definitions.ts";
import { ownValue } from "../runtime/own-value.ts";

export function generateTypes(definitions: readonly Definition[]): string {
  const head = "/** Generated from /crds by generate-types.ts. Do not edit. */\n";
  return [
    head,
    ...definitions.flatMap(({ kind, schema }) => [
      generateType(kind, "Spec", schema),
      generateType(kind, "Status", schema),
    ]),
  ].join("\n");
}

function generateType(kind: string, part: "Spec" | "Status", schema: Schema): string {
  const partSchema = ownValue(schema.properties, part.toLowerCase()) ?? {};
  return `export interface ${kind}${part} ${generateBody(partSchema, "")}\n`;
}

/** A property with a default is always present in an admitted object. */
function generateBody(schema: Schema, indent: string): string {
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const isPresent = schema.required?.includes(name) === true || property.default !== undefined;
    const comment = property.description === undefined ? "" : `${indent}  /** ${property.description} */\n`;
    return `${comment}${indent}  readonly ${name}${isPresent ? "" : "?"}: ${generateExpression(property, `${indent}  `)};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function generateExpression(schema: Schema, indent: string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema["x-kubernetes-int-or-string"] === true) return "number | string";
  switch (schema.type) {
    case "object":
      return generateObject(schema, indent);
    case "array": {
      const item = generateExpression(schema.items ?? {}, indent);
      return `readonly ${/^["\w-]+ \|/.test(item) ? `(${item})` : item}[]`;
    }
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
      return schema.type;
    default:
      return "unknown";
  }
}

function generateObject(schema: Schema, indent: string): string {
  if (schema.additionalProperties !== undefined)
    return `Readonly<Record<string, ${generateExpression(schema.additionalProperties, indent)}>>`;
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return "Readonly<Record<string, unknown>>";
  return generateBody(schema, indent);
}

if (import.meta.main) process.stdout.write(generateTypes(readDefinitions()));
