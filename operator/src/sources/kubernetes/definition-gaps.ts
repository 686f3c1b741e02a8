/** What the API server does not serve of what this operator needs: a whole kind, or fields of it. Pure. */
import type { Definition, Schema } from "../definitions.ts";
import { ownValue } from "../../runtime/own-value.ts";

/** The part of the OpenAPI v3 document of a group and version that is looked at. */
export interface ServedApi {
  readonly components?: { readonly schemas?: Readonly<Record<string, ServedSchema>> };
}

type ServedSchema = Schema & {
  readonly "x-kubernetes-group-version-kind"?: readonly { readonly kind: string; readonly version: string }[];
};

export interface DefinitionGap {
  readonly kind: string;
  /** Paths such as `spec.auth.algorithms`; empty: the kind is not served at all. */
  readonly fields: readonly string[];
}

/** Empty: everything is there. More than is needed may be served. `served` undefined: nothing of the group and version is. */
export function definitionGaps(
  definitions: readonly Definition[],
  served: ServedApi | undefined,
): readonly DefinitionGap[] {
  return definitions.flatMap(({ kind, apiVersion, schema }): DefinitionGap[] => {
    const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
    const found = Object.values(served?.components?.schemas ?? {}).find((candidate) =>
      candidate["x-kubernetes-group-version-kind"]?.some((is) => is.kind === kind && is.version === version),
    );
    if (found === undefined) return [{ kind, fields: [] }];
    const fields = ["spec", "status"].flatMap((part) =>
      missing(ownValue(schema.properties, part), ownValue(found.properties, part), part),
    );
    return fields.length === 0 ? [] : [{ kind, fields }];
  });
}

/** The gaps in a sentence that says what to do. */
export function describeGaps(gaps: readonly DefinitionGap[]): string {
  const what = gaps.map(({ kind, fields }) =>
    fields.length === 0
      ? `${kind} is not served`
      : `${kind} is served without ${fields.slice(0, 5).join(", ")}`,
  );
  return (
    `${what.join("; ")}. Install this version's CustomResourceDefinitions: ` +
    "the chart's value crds.enabled, or `kubectl apply --server-side -f crds/`"
  );
}

function missing(needed: Schema | undefined, served: Schema | undefined, path: string): readonly string[] {
  if (needed === undefined) return [];
  if (served === undefined) return [path];
  if (served["x-kubernetes-preserve-unknown-fields"] === true) return [];
  const properties = Object.entries(needed.properties ?? {}).flatMap(([name, property]) =>
    missing(property, ownValue(served.properties, name), `${path}.${name}`),
  );
  return needed.items === undefined
    ? properties
    : [...properties, ...missing(needed.items, served.items, `${path}[]`)];
}
