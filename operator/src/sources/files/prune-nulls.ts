/**
 * Removes fields with the value null (in YAML: no value after the colon), as the API server does before it sets defaults and validates.
 * An item of a list is not removed.
 */
import type { Schema } from "../definitions.ts";
import { ownValue } from "../../runtime/own-value.ts";

/** Modifies `value`. */
export function pruneNulls(schema: Schema, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) pruneNulls(schema.items, item);
    return;
  }
  const object = value as Record<string, unknown>;
  for (const [name, field] of Object.entries(object)) {
    const known = ownValue(schema.properties, name) ?? schema.additionalProperties;
    if (known === undefined) continue;
    if (field === null) delete object[name];
    else pruneNulls(known, field);
  }
}
