/** Look-ups of header fields in an indexed message. */
import type { Field, FieldName, IndexedText } from "./message.ts";
import { type ParseProblem, problem } from "./problem.ts";

/** The first field with this name. */
export function findField(fields: readonly Field[], name: FieldName): Field | undefined {
  for (const field of fields) if (field.name === name) return field;
  return undefined;
}

/** The only field with this name. A second one is a problem, because two hops could then read two different messages. */
export function onlyField(fields: readonly Field[], name: FieldName): Field | ParseProblem;
export function onlyField(
  fields: readonly Field[],
  name: FieldName,
  isOptional: boolean,
): Field | ParseProblem | undefined;
export function onlyField(
  fields: readonly Field[],
  name: FieldName,
  isOptional = false,
): Field | ParseProblem | undefined {
  let only: Field | undefined;
  for (const field of fields) {
    if (field.name !== name) continue;
    if (only !== undefined) return problem(`two ${name} fields`, field.start);
    only = field;
  }
  return only ?? (isOptional ? undefined : problem(`no ${name}`));
}

/** The value of the first field with this name, unfolded; undefined: there is none. */
export function fieldValue(message: IndexedText, name: FieldName): string | undefined {
  const field = findField(message.fields, name);
  return field === undefined ? undefined : unfold(message.text.slice(field.valueStart, field.valueEnd));
}

/** Replaces each fold with one space (§7.3.1). The pattern leaves white space before a fold, because matching it would take quadratic time. */
export const unfold = (value: string): string =>
  value.includes("\n") ? value.replace(/\r\n[ \t]+/g, " ") : value;
