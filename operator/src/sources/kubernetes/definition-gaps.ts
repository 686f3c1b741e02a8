/** Finds the kinds and fields that this operator needs and the API server does not serve. Pure. */
import type { Definition, Schema } from "../definitions.ts";
import { ownValue } from "../../runtime/own-value.ts";

/** The part of the OpenAPI v3 document of a group and version that is used here. */
export interface ServedApi {
  readonly components?: { readonly schemas?: Readonly<Record<string, ServedSchema>> };
}

type ServedSchema = Schema & {
  readonly "x-kubernetes-group-version-kind"?: readonly { readonly kind: string; readonly version: string }[];
};

interface DefinitionGap {
  readonly kind: string;
  /** The missing paths, such as `spec.auth.algorithms`; empty: the kind is not served. */
  readonly fields: readonly string[];
}

/** Empty: everything is served. Additional kinds and fields are allowed. `served` undefined: the group and version is not served. */
export function findDefinitionGaps(
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
      findMissing(ownValue(schema.properties, part), ownValue(found.properties, part), part),
    );
    return fields.length === 0 ? [] : [{ kind, fields }];
  });
}

/** A message with the gaps and the solution. */
export function describeGaps(gaps: readonly DefinitionGap[]): string {
  const descriptions = gaps.map(({ kind, fields }) =>
    fields.length === 0
      ? `${kind} is not served`
      : `${kind} is served without ${fields.slice(0, 5).join(", ")}`,
  );
  return (
    `${descriptions.join("; ")}. Install this version's CustomResourceDefinitions: ` +
    "the chart's value crds.enabled, or `kubectl apply --server-side -f crds/`"
  );
}

function findMissing(
  needed: Schema | undefined,
  served: Schema | undefined,
  path: string,
): readonly string[] {
  if (needed === undefined) return [];
  if (served === undefined) return [path];
  if (served["x-kubernetes-preserve-unknown-fields"] === true) return [];
  const properties = Object.entries(needed.properties ?? {}).flatMap(([name, property]) =>
    findMissing(property, ownValue(served.properties, name), `${path}.${name}`),
  );
  return needed.items === undefined
    ? properties
    : [...properties, ...findMissing(needed.items, served.items, `${path}[]`)];
}
