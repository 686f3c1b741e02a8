/** Looking up header fields of an indexed message. */
import type { Field, FieldName } from "./message.ts";

/** The first field of that name. */
export function findField(fields: readonly Field[], name: FieldName): Field | undefined {
  for (const field of fields) if (field.name === name) return field;
  return undefined;
}

/** The value of the first field of that name, unfolded; undefined when there is none. */
export function fieldValue(
  message: { readonly text: string; readonly fields: readonly Field[] },
  name: FieldName,
): string | undefined {
  const field = findField(message.fields, name);
  return field === undefined ? undefined : unfold(message.text.slice(field.valueStart, field.valueEnd));
}

/** Folds become one space (§7.3.1). What stands before a fold stays: a pattern that took it too would cost the square of its length. */
export const unfold = (value: string): string =>
  value.includes("\n") ? value.replace(/\r\n[ \t]+/g, " ") : value;
