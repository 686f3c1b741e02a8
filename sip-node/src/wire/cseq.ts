/**
 * CSeq (RFC 3261 §20.16).
 *
 *   CSeq = 1*DIGIT LWS Method
 */
import { bytesOf } from "./bytes.ts";
import { isToken, parseDigits, SP, skipSpace } from "./characters.ts";
import { onlyField } from "./fields.ts";
import { maxCSeq } from "./limits.ts";
import type { CSeq, Field } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

export function parseCSeq(text: string, fields: readonly Field[]): CSeq | ParseProblem {
  const field = onlyField(fields, "cseq");
  if (isProblem(field)) return field;
  const bytes = bytesOf(text);
  let at = field.valueStart;
  while (at < field.valueEnd && (bytes[at] as number) > SP) at++;
  const number = parseDigits(text.slice(field.valueStart, at), maxCSeq);
  if (number < 0) return problem(`CSeq: expected a number below 2^31`, field.valueStart);
  const method = text.slice(skipSpace(bytes, at, field.valueEnd), field.valueEnd);
  return isToken(method) ? { number, method } : problem("CSeq: expected a method", at);
}
