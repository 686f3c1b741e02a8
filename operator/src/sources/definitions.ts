/** Reads the CRDs of /crds. The files source validates objects with them, and the operator's types are generated from them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The parts of an OpenAPI v3 structural schema that our CRDs use. */
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
  /** The schema of the values of a map. */
  readonly additionalProperties?: Schema;
  readonly "x-kubernetes-int-or-string"?: true;
  /** Unknown fields are stored and not validated; used for Kubernetes' own types. */
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-validations"?: readonly Rule[];
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

/** A CEL rule. A rule with `oldSelf` compares with the old object, and is not evaluated for a new object. */
export interface Rule {
  readonly rule: string;
  readonly message?: string;
  /** The path of the reported field, relative to the schema that has the rule. */
  readonly fieldPath?: string;
}

export interface Definition {
  readonly kind: string;
  /** group/version, as in an object's `apiVersion`. */
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

/** SipCluster, SipDomain and SipUser, each with the storage version of its CRD. */
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
