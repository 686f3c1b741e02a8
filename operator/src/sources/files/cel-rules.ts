/**
 * The CEL rules of a CRD (x-kubernetes-validations), evaluated as the API server does: `self` is the value that carries the rule; a rule
 * with `oldSelf` holds where there was nothing before. Of Kubernetes' own functions those on strings are there (`lowerAscii`, `split`);
 * `isIP`, `cidr`, `url`, `quantity`, `find` and optional fields (`.?`) are not, so our CRDs use none.
 */
import { celEnv, parse, plan, type CelInput } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import type { Rule, Schema } from "../definitions.ts";
import type { Path, Refusal } from "./problem.ts";
import { ownValue } from "../../runtime/own-value.ts";

type Program = (values: Record<string, CelInput>) => unknown;

const environment = celEnv({ funcs: strings });
const programs = new Map<string, Program>();

/** Every rule that `value` breaks, with the path of the field that it is about. */
export function brokenRules(
  schema: Schema,
  value: unknown,
  old: unknown,
  path: Path = [],
): readonly Refusal[] {
  if (value === undefined || value === null) return [];
  const own = (schema["x-kubernetes-validations"] ?? [])
    .filter((rule) => !holds(rule, value, old))
    .map((rule) => refusal(rule, path));
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    brokenRules(property, at(value, name), at(old, name), [...path, name]),
  );
  const { items, additionalProperties } = schema;
  const values =
    additionalProperties === undefined
      ? []
      : Object.entries(value).flatMap(([name, field]) =>
          brokenRules(additionalProperties, field, at(old, name), [...path, name]),
        );
  const elements =
    items === undefined || !Array.isArray(value)
      ? []
      : value.flatMap((item, index) => brokenRules(items, item, undefined, [...path, index]));
  return [...own, ...fields, ...values, ...elements];
}

/** An evaluation that ends in an error has not held. */
function holds({ rule }: Rule, value: unknown, old: unknown): boolean {
  const comparesWithOld = /\boldSelf\b/.test(rule);
  if (comparesWithOld && old === undefined) return true;
  let program = programs.get(rule);
  if (program === undefined) {
    program = plan(environment, parse(rule));
    programs.set(rule, program);
  }
  return program({ self: toCel(value), ...(comparesWithOld ? { oldSelf: toCel(old) } : {}) }) === true;
}

function refusal({ rule, message, fieldPath }: Rule, path: Path): Refusal {
  const field = fieldPath === undefined ? path : [...path, ...fieldPath.split(".").slice(1)];
  return { path: field, message: `${field.join(".")}: ${message ?? `broke the rule ${rule}`}` };
}

const at = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? ownValue(value as Record<string, unknown>, name) : undefined;

/** CEL's integers are 64 bits wide. */
function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toCel(field)]));
  }
  return (typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value) as CelInput;
}
