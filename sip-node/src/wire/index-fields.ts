/**
 * The index of the header fields of a message (RFC 3261 §7.3).
 *
 *   message-header = field-name HCOLON field-value CRLF
 *
 * A line that begins with white space continues the line before it (§7.3.1). A CR or LF alone is refused: a phone that takes it for the end
 * of a line would read a header field that this node never read.
 */
import { HT, isTokenAt, SP, skipSpace, trimEnd } from "./characters.ts";
import { bytesOf } from "./bytes.ts";
import { fieldNameAt } from "./field-names.ts";
import { maxFieldBytes, maxFields } from "./limits.ts";
import type { Field } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

/**
 * Adds the fields to `fields`. Returns the offset after the empty line, or the first problem. The fields after an invalid one are added too,
 * because an error response needs Via, From, To, Call-ID and CSeq.
 */
export function indexFields(text: string, from: number, fields: Field[]): number | ParseProblem {
  const bytes = bytesOf(text);
  let at = from;
  let firstProblem: ParseProblem | undefined;
  for (let count = 0; ; count++) {
    const lineEnd = endOfLine(text, at);
    if (isProblem(lineEnd)) return firstProblem ?? lineEnd;
    if (lineEnd === at) return firstProblem ?? lineEnd + 2;
    if (count === maxFields) return firstProblem ?? problem(`more than ${maxFields} header fields`, at);
    let end = lineEnd + 2;
    while (isFold(bytes[end])) {
      const next = endOfLine(text, end);
      if (isProblem(next)) return firstProblem ?? next;
      end = next + 2;
    }
    const field = readField(text, bytes, at, lineEnd, end);
    if (isProblem(field)) firstProblem ??= field;
    else fields.push(field);
    at = end;
  }
}

/** The field whose first line ends at `lineEnd`, and whose last line ends with the CRLF before `end`. */
function readField(
  text: string,
  bytes: Uint8Array,
  at: number,
  lineEnd: number,
  end: number,
): Field | ParseProblem {
  const colon = text.indexOf(":", at);
  if (colon < 0 || colon > lineEnd) return problem("a header line without a colon", at);
  const nameEnd = trimEnd(bytes, at, colon);
  const name = fieldNameAt(text, bytes, at, nameEnd);
  if (name === "other" && !isTokenAt(bytes, at, nameEnd))
    return problem("a header field's name is not a token", at);
  const valueStart = skipSpace(bytes, colon + 1, end - 2);
  const valueEnd = trimEnd(bytes, valueStart, end - 2);
  return valueEnd - valueStart > maxFieldBytes
    ? problem(`${name}: more than ${maxFieldBytes} bytes`, at)
    : { name, start: at, valueStart, valueEnd, end };
}

/**
 * Offset of the CRLF that ends the line at `at`. Two searches for one character, which the engine does many characters at a time, take a fifth of
 * the time of a loop over the line.
 */
export function endOfLine(text: string, at: number): number | ParseProblem {
  const end = text.indexOf("\r", at);
  const feed = text.indexOf("\n", at);
  if (end >= 0 && feed === end + 1) return end;
  return feed < 0
    ? problem("the header section does not end with an empty line", at)
    : problem("a line contains a CR or LF alone", feed);
}

const isFold = (code: number | undefined): boolean => code === SP || code === HT;
