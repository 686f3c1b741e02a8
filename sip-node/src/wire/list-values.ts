/** Comma-separated header values (RFC 3261 §7.3.1). A comma inside quotes or angle brackets is not a separator. */
import { bytesOf } from "./bytes.ts";
import { COMMA, LAQUOT, QUOTE, RAQUOT, skipQuoted } from "./characters.ts";
import { maxListValues } from "./limits.ts";
import type { FieldName, IndexedText } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

/** Returns the offset of the comma that ends the value at `at`, or `end`. */
export function valueEnd(text: string, at: number, end: number): number {
  const comma = text.indexOf(",", at);
  if (comma < 0 || comma >= end) return end;
  const bytes = bytesOf(text);
  let isAddress = false;
  for (let i = at; i < end; i++) {
    const code = bytes[i];
    if (code === QUOTE && !isAddress) {
      const next = skipQuoted(bytes, i, end);
      if (next < 0) return end;
      i = next - 1;
    } else if (code === LAQUOT) isAddress = true;
    else if (code === RAQUOT) isAddress = false;
    else if (code === COMMA && !isAddress) return i;
  }
  return end;
}

/** Returns all values of the named header field, in order, parsed by `parse`; or the first problem. */
export function parseList<T>(
  message: IndexedText,
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
