/** Validates a JSON file with `ajv`. A problem names the path, the expected value (the schema's `description`) and the value found. */
import { Ajv, type ErrorObject, type SchemaObject } from "ajv";
import { isLoopback, parseAddress, parseIp, parseRange } from "./addresses.ts";

/** The output length of SHA-256, with which the keys are used. */
const minKeyBytes = 32;
const maxQuotedCharacters = 64;

const ajv = new Ajv({
  allErrors: true,
  useDefaults: true,
  ownProperties: true,
  verbose: true,
  allowUnionTypes: true,
  formats: {
    "host-port": (text: string) => parseAddress(text) !== undefined,
    "loopback-host-port": isLoopback,
    "ip-address": (text: string) => parseIp(text) !== undefined,
    "ip-range": (text: string) => parseRange(text) !== undefined,
    "base64-key": (text: string) => Buffer.from(text, "base64").length >= minKeyBytes,
  },
});

/** Adds the schema's defaults to `json`. Returns it if it is valid; otherwise undefined, and adds every problem to `problems`. */
export type Validate<File> = (json: unknown, what: string, problems: string[]) => File | undefined;

/**
 * Call it once for each schema, at start. `File` is the type of a valid file with its defaults. Every schema in it needs a `description`; a value
 * whose schema is `writeOnly` is secret and is not quoted. Fields that the schema does not name are ignored: an operator of a newer
 * version may write them.
 */
export function compileSchema<File>(schema: SchemaObject): Validate<File> {
  const validate = ajv.compile<File>(schema);
  return (json, what, problems) => {
    if (validate(json)) return json;
    for (const error of validate.errors ?? []) problems.push(`${what}${describe(error)}`);
    return undefined;
  };
}

function describe({ keyword, instancePath, params, parentSchema, data }: ErrorObject): string {
  const path = pathOf(instancePath);
  const schema = (parentSchema ?? {}) as SchemaObject;
  switch (keyword) {
    case "required": {
      const { missingProperty } = params as { missingProperty: string };
      return `${path}.${missingProperty}: expected ${descriptionOf(schema, missingProperty)}; found nothing`;
    }
    case "maxLength": {
      const { limit } = params as { limit: number };
      return `${path}: expected at most ${limit} characters; found ${(data as string).length}`;
    }
    default:
      return `${path}: expected ${String(schema["description"])}; found ${quote(data, schema)}`;
  }
}

/** `/peers/1` as `.peers[1]`. */
const pathOf = (pointer: string): string =>
  pointer.replace(/\/([^/]*)/g, (_, step: string) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`));

function descriptionOf({ properties }: SchemaObject, name: string): string {
  const fields = new Map(Object.entries(properties as Readonly<Record<string, SchemaObject>>));
  return String(fields.get(name)?.["description"]);
}

function quote(value: unknown, { writeOnly }: SchemaObject): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (value === undefined || value === null) return "nothing";
  if (writeOnly === true) return "another value";
  return JSON.stringify(typeof value === "string" ? value.slice(0, maxQuotedCharacters) : value);
}
