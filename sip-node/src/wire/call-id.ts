/** Call-ID (RFC 3261 §20.8). Leniency: any characters but white space and control characters. */
import { bytesOf } from "./bytes.ts";
import { isUnbrokenAt } from "./characters.ts";
import { onlyField } from "./fields.ts";
import { maxTokenBytes } from "./limits.ts";
import type { Field } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

export function parseCallId(text: string, fields: readonly Field[]): string | ParseProblem {
  const field = onlyField(fields, "call-id");
  if (isProblem(field)) return field;
  const { valueStart, valueEnd } = field;
  const length = valueEnd - valueStart;
  return length === 0 || length > maxTokenBytes || !isUnbrokenAt(bytesOf(text), valueStart, valueEnd)
    ? problem(`Call-ID: expected 1 to ${maxTokenBytes} bytes without space`, valueStart)
    : text.slice(valueStart, valueEnd);
}
