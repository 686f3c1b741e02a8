/**
 * Evaluates the CEL rules of a CRD (x-kubernetes-validations) as the API server does. `self` is the value whose schema has the rule. A rule
 * with `oldSelf` is fulfilled if there is no old value. Of the functions that Kubernetes adds, only those on strings are available
 * (`lowerAscii`, `split`). `isIP`, `cidr`, `url`, `quantity`, `find` and optional fields (`.?`) are not, so our CRDs do not use them.
 */
import { celEnv, parse, plan, type CelInput } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import type { Rule, Schema } from "../definitions.ts";
import type { Path, FieldError } from "./problem.ts";
import { ownValue } from "../../runtime/own-value.ts";

type Program = (values: Record<string, CelInput>) => unknown;

const environment = celEnv({ funcs: strings });
const programs = new Map<string, Program>();

/** One error for each rule that `value` breaks, with the path of the field. */
export function findBrokenRules(
  schema: Schema,
  value: unknown,
  old: unknown,
  path: Path = [],
): readonly FieldError[] {
  if (value === undefined || value === null) return [];
  const own = (schema["x-kubernetes-validations"] ?? [])
    .filter((rule) => !isFulfilled(rule, value, old))
    .map((rule) => fieldError(rule, path));
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    findBrokenRules(property, at(value, name), at(old, name), [...path, name]),
  );
  const { items, additionalProperties } = schema;
  const values =
    additionalProperties === undefined
      ? []
      : Object.entries(value).flatMap(([name, field]) =>
          findBrokenRules(additionalProperties, field, at(old, name), [...path, name]),
        );
  const elements =
    items === undefined || !Array.isArray(value)
      ? []
      : value.flatMap((item, index) => findBrokenRules(items, item, undefined, [...path, index]));
  return [...own, ...fields, ...values, ...elements];
}

/** A rule whose evaluation fails with an error is not fulfilled. */
function isFulfilled({ rule }: Rule, value: unknown, old: unknown): boolean {
  const comparesWithOld = /\boldSelf\b/.test(rule);
  if (comparesWithOld && old === undefined) return true;
  let program = programs.get(rule);
  if (program === undefined) {
    program = plan(environment, parse(rule));
    programs.set(rule, program);
  }
  return program({ self: toCel(value), ...(comparesWithOld ? { oldSelf: toCel(old) } : {}) }) === true;
}

function fieldError({ rule, message, fieldPath }: Rule, path: Path): FieldError {
  const field = fieldPath === undefined ? path : [...path, ...fieldPath.split(".").slice(1)];
  return { path: field, message: `${field.join(".")}: ${message ?? `broke the rule ${rule}`}` };
}

const at = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? ownValue(value as Record<string, unknown>, name) : undefined;

/** CEL's integers have 64 bits. */
function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toCel(field)]));
  }
  return (typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value) as CelInput;
}
