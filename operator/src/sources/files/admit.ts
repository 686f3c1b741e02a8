/**
 * Validates an object as the API server does with strict field validation (kubectl's default): checks it against its CRD, sets defaults,
 * and evaluates the CEL rules. `test/golden/admission` has cases for which both must agree.
 * One difference: a status, and metadata that only the API server writes, are refused and not dropped.
 */
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from "ajv";
import { readDefinitions, type Schema } from "../definitions.ts";
import { findBrokenRules } from "./cel-rules.ts";
import { closestWord } from "./closest-word.ts";
import type { Path, FieldError } from "./problem.ts";
import { pruneNulls } from "./prune-nulls.ts";
import { ownValue } from "../../runtime/own-value.ts";

export interface AdmittedObject {
  readonly kind: string;
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
  /** Only in a Secret. */
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

interface Kind {
  readonly apiVersion: string;
  readonly schema: Schema;
  readonly validate: ValidateFunction;
}

const strings: Schema = { type: "object", additionalProperties: { type: "string" } };
/** The key of a label or an annotation, with an optional prefix (a DNS subdomain and a slash). */
const qualifiedName =
  "^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$";

const metadata = {
  type: "object",
  required: ["name"],
  properties: {
    name: {
      type: "string",
      maxLength: 253,
      pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
    },
    namespace: {
      type: "string",
      maxLength: 63,
      pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
      default: "default",
    },
    labels: {
      type: "object",
      propertyNames: { pattern: qualifiedName },
      additionalProperties: {
        type: "string",
        maxLength: 63,
        pattern: "^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$",
      },
    },
    annotations: { ...strings, propertyNames: { pattern: qualifiedName } },
  },
} as const;

/** The fields of every object. A file must not have a status, because the operator writes it. */
const commonFields = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata } as const;

const secret: Schema = {
  type: "object",
  properties: {
    ...commonFields,
    type: { type: "string" },
    immutable: { type: "boolean" },
    data: strings,
    stringData: strings,
  },
};

const ajv = new Ajv({
  allErrors: true,
  useDefaults: true,
  strict: false,
  formats: { "date-time": true, int64: true },
});

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["Secret", { apiVersion: "v1", schema: secret, validate: ajv.compile(toJsonSchema(secret)) }],
  ...readDefinitions().map(({ kind, apiVersion, schema }): [string, Kind] => {
    const objectSchema = withCommonFields(schema);
    return [kind, { apiVersion, schema: objectSchema, validate: ajv.compile(toJsonSchema(objectSchema)) }];
  }),
]);

/** The kind, namespace and name of a document, which may be invalid otherwise. Undefined if kind or name is missing. */
export function identify(
  value: unknown,
): { readonly kind: string; readonly namespace: string; readonly name: string } | undefined {
  const { kind, metadata: itsMetadata } = (value ?? {}) as {
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown } | null;
  };
  if (typeof kind !== "string" || typeof itsMetadata?.name !== "string") return undefined;
  return {
    kind,
    namespace: typeof itsMetadata.namespace === "string" ? itsMetadata.namespace : "default",
    name: itsMetadata.name,
  };
}

/** The object with its defaults, or all its errors. Rules with `oldSelf` compare with `oldSpec`, unless it is undefined. */
export function admit(value: unknown, oldSpec: unknown): AdmittedObject | readonly FieldError[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [{ path: [], message: "not an object; expected apiVersion, kind, metadata" }];
  const { kind, apiVersion } = value as { kind?: unknown; apiVersion?: unknown };
  const known = typeof kind === "string" ? kinds.get(kind) : undefined;
  if (known === undefined) {
    return [
      {
        path: ["kind"],
        message: `kind ${quoted(kind)} is not known; expected ${[...kinds.keys()].join(", ")}${suggestion(String(kind), [...kinds.keys()])}`,
      },
    ];
  }
  if (apiVersion !== known.apiVersion) {
    return [
      {
        path: ["apiVersion"],
        message: `apiVersion ${quoted(apiVersion)} is not known; expected ${known.apiVersion} for ${String(kind)}`,
      },
    ];
  }
  const object = structuredClone(value) as unknown as AdmittedObject;
  pruneNulls(known.schema, object);
  if (!known.validate(object))
    return (known.validate.errors ?? []).map((error) => fieldError(error, known.schema));
  const broken = findBrokenRules(
    known.schema,
    object,
    oldSpec === undefined ? undefined : { ...object, spec: oldSpec },
  );
  return broken.length > 0 ? broken : object;
}

/** A CRD may add limits to the name, but not to other metadata. */
function withCommonFields(schema: Schema): Schema {
  const { spec = {}, metadata: ownMetadata } = schema.properties ?? {};
  const name = { ...metadata.properties.name, ...ownMetadata?.properties?.["name"] };
  const properties = { ...metadata.properties, name };
  return { ...schema, properties: { spec, ...commonFields, metadata: { ...metadata, properties } } };
}

/** The JSON Schema for ajv: refuses unknown fields, and replaces Kubernetes' extensions by keywords of JSON Schema. */
function toJsonSchema(schema: Schema): AnySchemaObject {
  const { properties, additionalProperties, items } = schema;
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, toJsonSchema(property)]),
          ),
          ...(isOpen ? {} : { additionalProperties: false }),
        }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: toJsonSchema(additionalProperties) }),
    ...(items === undefined ? {} : { items: toJsonSchema(items) }),
    ...(schema["x-kubernetes-list-type"] === "set" ? { uniqueItems: true } : {}),
  };
}

function fieldError({ keyword, instancePath, params, message }: ErrorObject, schema: Schema): FieldError {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const name = path.join(".");
  const { additionalProperty, missingProperty, allowedValues, type, propertyName } = params as Record<
    string,
    unknown
  >;
  switch (keyword) {
    case "additionalProperties": {
      const field = String(additionalProperty);
      const siblings = Object.keys(schemaAt(schema, path)?.properties ?? {});
      const hint = field === "status" ? "; the operator writes it" : suggestion(field, siblings);
      return { path: [...path, field], message: `${[...path, field].join(".")} is not a field${hint}` };
    }
    case "required":
      return { path, message: `${[...path, String(missingProperty)].join(".")} is missing` };
    case "enum":
      return { path, message: `${name} must be one of ${(allowedValues as readonly unknown[]).join(", ")}` };
    case "type":
      return { path, message: `${name} must be of type ${String(type)}` };
    case "propertyNames":
      return { path, message: `${name} has an invalid key: ${String(propertyName)}` };
    case "uniqueItems":
      return { path, message: `${name} has a duplicate item` };
    default:
      return { path, message: `${name} ${message ?? "is not valid"}` };
  }
}

const quoted = (value: unknown): string => (typeof value === "string" ? `"${value}"` : `(not a string)`);

const suggestion = (given: string, known: readonly string[]): string => {
  const guess = closestWord(given, known);
  return guess === undefined ? "" : `; did you mean ${guess}?`;
};

const schemaAt = (schema: Schema | undefined, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>(
    (at, step) => ownValue(at?.properties, String(step)) ?? at?.additionalProperties ?? at?.items,
    schema,
  );
