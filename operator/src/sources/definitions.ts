/** The CRDs of /crds, as the files source checks objects against them and as the operator's types are generated from them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** What we use of an OpenAPI v3 structural schema. */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly format?: "int64" | "date-time";
  /** Of a map: what every value is. */
  readonly additionalProperties?: Schema;
  readonly "x-kubernetes-int-or-string"?: true;
  /** Kept as they are and not checked: fields of Kubernetes' own types. */
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-validations"?: readonly Rule[];
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

/** A CEL rule. One that mentions `oldSelf` compares with the object as it was, and holds for a new object. */
export interface Rule {
  readonly rule: string;
  readonly message?: string;
  /** Where to report it, below the schema that carries it. */
  readonly fieldPath?: string;
}

export interface Definition {
  readonly kind: string;
  /** group/version, as objects name it. */
  readonly apiVersion: string;
  readonly schema: Schema;
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const folder = fileURLToPath(new URL("../../../crds/", import.meta.url));

/** Every kind of ours, by the storage version of its CRD. */
export function readDefinitions(): readonly Definition[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files.sort().map((file) => {
    const { spec } = parse(readFileSync(folder + file, "utf8")) as CustomResourceDefinition;
    const version = spec.versions.find(({ storage }) => storage);
    if (version === undefined) throw new Error(`${file} has no storage version`);
    return {
      kind: spec.names.kind,
      apiVersion: `${spec.group}/${version.name}`,
      schema: version.schema.openAPIV3Schema,
    };
  });
}
