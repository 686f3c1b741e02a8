/** Content-Length (RFC 3261 §20.14). */
import { parseDigits } from "./characters.ts";
import { findField, onlyField } from "./fields.ts";
import { maxMessageBytes } from "./limits.ts";
import { type Edit, insertAtEnd } from "./edits.ts";
import type { Field, Message } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

/** The length of the body in bytes. Over UDP, Content-Length may be absent: then the body is the rest of the datagram (§18.3). */
export function parseContentLength(
  text: string,
  fields: readonly Field[],
  bodyStart: number,
): number | ParseProblem {
  const present = text.length - bodyStart;
  const field = onlyField(
    fields,
    "content-length",
    present === 0 || findField(fields, "content-length") === undefined,
  );
  if (field === undefined) return present;
  if (isProblem(field)) return field;
  const length = parseDigits(text.slice(field.valueStart, field.valueEnd), maxMessageBytes);
  if (length < 0) return problem("Content-Length is not a number of bytes", field.valueStart);
  return length <= present
    ? length
    : problem(`Content-Length says ${length}, ${present} bytes came`, field.valueStart);
}

/** On a stream every message has one (§18.3). Undefined: it has. */
export const contentLengthEdit = (message: Message): Edit | undefined =>
  findField(message.fields, "content-length") === undefined
    ? insertAtEnd(message, `Content-Length: ${message.text.length - message.bodyStart}\r\n`)
    : undefined;
