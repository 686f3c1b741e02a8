/** Comma-separated header values (RFC 3261 §7.3.1): commas inside quotes and angle brackets separate nothing. */
import { COMMA, LAQUOT, QUOTE, RAQUOT, skipQuoted } from "./characters.ts";
import { maxListValues } from "./limits.ts";
import type { Field, FieldName } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

/** Offset of the comma that ends the value at `at`, or `end`. */
export function valueEnd(text: string, at: number, end: number): number {
  const comma = text.indexOf(",", at);
  if (comma < 0 || comma >= end) return end;
  let isAddress = false;
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE && !isAddress) {
      const behind = skipQuoted(text, i, end);
      if (behind < 0) return end;
      i = behind - 1;
    } else if (code === LAQUOT) isAddress = true;
    else if (code === RAQUOT) isAddress = false;
    else if (code === COMMA && !isAddress) return i;
  }
  return end;
}

interface Indexed {
  readonly text: string;
  readonly fields: readonly Field[];
}

/** Every value of the named header, in order, parsed by `parse`; a problem with one is the problem of all. */
export function parseList<T>(
  message: Indexed,
  name: FieldName,
  parse: (text: string, from: number, to: number) => T | ParseProblem,
): T[] | ParseProblem {
  const values: T[] = [];
  for (const field of message.fields) {
    if (field.name !== name) continue;
    let at = field.valueStart;
    while (at < field.valueEnd) {
      const end = valueEnd(message.text, at, field.valueEnd);
      const value = parse(message.text, at, end);
      if (isProblem(value)) return value;
      if (values.length === maxListValues) return problem(`${name}: more than ${maxListValues} values`, at);
      values.push(value);
      at = end + 1;
    }
  }
  return values;
}
