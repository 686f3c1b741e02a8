/**
 * What the API server does with an object before it stores it, told to refuse fields that it does not know (`kubectl` tells it so): checks
 * it against its CRD, fills in defaults, evaluates the CEL rules. `test/golden/admission` holds cases on which both agree.
 * Stricter in one thing: a status, and metadata that only the API server writes, are refused, not dropped.
 */
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from "ajv";
import { readDefinitions, type Schema } from "../definitions.ts";
import { brokenRules } from "./cel-rules.ts";
import { nearest } from "./nearest.ts";
import type { Path, Refusal } from "./problem.ts";
import { pruneNulls } from "./prune-nulls.ts";
import { ownValue } from "../../runtime/own-value.ts";

export interface Admitted {
  readonly kind: string;
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
  /** Of a Secret. */
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

interface Kind {
  readonly apiVersion: string;
  readonly schema: Schema;
  readonly check: ValidateFunction;
}

const strings: Schema = { type: "object", additionalProperties: { type: "string" } };
/** A label's or an annotation's key: a DNS subdomain and a slash may stand before it. */
const qualified = "^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$";

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
      propertyNames: { pattern: qualified },
      additionalProperties: {
        type: "string",
        maxLength: 63,
        pattern: "^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$",
      },
    },
    annotations: { ...strings, propertyNames: { pattern: qualified } },
  },
} as const;

/** What every object has around it. A status is the operator's to write, not a file's. */
const envelope = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata } as const;

const secret: Schema = {
  type: "object",
  properties: {
    ...envelope,
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
  ["Secret", { apiVersion: "v1", schema: secret, check: ajv.compile(closed(secret)) }],
  ...readDefinitions().map(({ kind, apiVersion, schema }): [string, Kind] => {
    const written = withEnvelope(schema);
    return [kind, { apiVersion, schema: written, check: ajv.compile(closed(written)) }];
  }),
]);

/** Which kind, namespace and name a document means, if it says so, whether or not the rest of it is right. */
export function identify(
  value: unknown,
): { readonly kind: string; readonly namespace: string; readonly name: string } | undefined {
  const { kind, metadata: given } = (value ?? {}) as {
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown } | null;
  };
  if (typeof kind !== "string" || typeof given?.name !== "string") return undefined;
  return {
    kind,
    namespace: typeof given.namespace === "string" ? given.namespace : "default",
    name: given.name,
  };
}

/** The object with its defaults, or every reason for which it is refused. Rules with `oldSelf` compare with `oldSpec`, where it is given. */
export function admit(value: unknown, oldSpec: unknown): Admitted | readonly Refusal[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [{ path: [], message: "no object; expected apiVersion, kind, metadata" }];
  const { kind, apiVersion } = value as { kind?: unknown; apiVersion?: unknown };
  const known = typeof kind === "string" ? kinds.get(kind) : undefined;
  if (known === undefined) {
    return [
      {
        path: ["kind"],
        message: `kind ${quoted(kind)} is not known; expected ${[...kinds.keys()].join(", ")}${meant(String(kind), [...kinds.keys()])}`,
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
  const object = structuredClone(value) as unknown as Admitted;
  pruneNulls(known.schema, object);
  if (!known.check(object)) return (known.check.errors ?? []).map((error) => refusal(error, known.schema));
  const broken = brokenRules(
    known.schema,
    object,
    oldSpec === undefined ? undefined : { ...object, spec: oldSpec },
  );
  return broken.length > 0 ? broken : object;
}

/** A CRD may narrow the name, and nothing else of the metadata. */
function withEnvelope(schema: Schema): Schema {
  const { spec = {}, metadata: narrowed } = schema.properties ?? {};
  const name = { ...metadata.properties.name, ...narrowed?.properties?.["name"] };
  const properties = { ...metadata.properties, name };
  return { ...schema, properties: { spec, ...envelope, metadata: { ...metadata, properties } } };
}

/** The schema with unknown fields refused, and with what Kubernetes says in its own words said in JSON Schema's. */
function closed(schema: Schema): AnySchemaObject {
  const { properties, additionalProperties, items } = schema;
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, closed(property)]),
          ),
          ...(isOpen ? {} : { additionalProperties: false }),
        }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: closed(additionalProperties) }),
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(schema["x-kubernetes-list-type"] === "set" ? { uniqueItems: true } : {}),
  };
}

function refusal({ keyword, instancePath, params, message }: ErrorObject, schema: Schema): Refusal {
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
      const hint = field === "status" ? "; the operator writes it" : meant(field, siblings);
      return { path: [...path, field], message: `${[...path, field].join(".")} is not a field${hint}` };
    }
    case "required":
      return { path, message: `${[...path, String(missingProperty)].join(".")} is missing` };
    case "enum":
      return { path, message: `${name} must be one of ${(allowedValues as readonly unknown[]).join(", ")}` };
    case "type":
      return { path, message: `${name} must be of type ${String(type)}` };
    case "propertyNames":
      return { path, message: `${name} has a key that cannot be one: ${String(propertyName)}` };
    case "uniqueItems":
      return { path, message: `${name} has an item twice` };
    default:
      return { path, message: `${name} ${message ?? "is not valid"}` };
  }
}

const quoted = (value: unknown): string => (typeof value === "string" ? `"${value}"` : `(no text)`);

const meant = (given: string, known: readonly string[]): string => {
  const guess = nearest(given, known);
  return guess === undefined ? "" : `; did you mean ${guess}?`;
};

const schemaAt = (schema: Schema | undefined, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>(
    (at, step) => ownValue(at?.properties, String(step)) ?? at?.additionalProperties ?? at?.items,
    schema,
  );
