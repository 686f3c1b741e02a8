/**
 * A name-addr or addr-spec with its header parameters: From, To, Contact, Route, Record-Route (RFC 3261 §20.10, §25.1).
 *
 *   name-addr = [ display-name ] LAQUOT addr-spec RAQUOT
 *   params    = *( SEMI generic-param )
 *
 * Without angle brackets, every parameter belongs to the header field, not to the URI, and the URI must not contain "," or "?" (§20.10).
 *
 * Leniencies: white space around the URI inside the angle brackets is skipped. A display name without quotes may have any characters.
 */
import {
  EQUALS,
  isNameAt,
  isSpace,
  isToken,
  isUriAt,
  LAQUOT,
  QUOTE,
  SEMI,
  skipQuoted,
  skipSpace,
  trimEnd,
} from "./characters.ts";
import { bytesOf } from "./bytes.ts";
import { maxTokenBytes } from "./limits.ts";
import { type ParseProblem, problem } from "./problem.ts";

export interface NameAddr {
  /** The URI as written, without angle brackets. */
  readonly uri: string;
  /** The parameters after the address as written, from the first `;`, or the empty text. */
  readonly parameters: string;
  /** The parameter `tag`. */
  readonly tag: string | undefined;
  /** Offsets of this value in the text it was parsed from. */
  readonly start: number;
  readonly end: number;
}

/** Parses the one value between two offsets. `header` names it in a problem. */
export function parseNameAddr(
  text: string,
  from: number,
  to: number,
  header: string,
): NameAddr | ParseProblem {
  const bytes = bytesOf(text);
  const start = skipSpace(bytes, from, to);
  const end = trimEnd(bytes, start, to);
  let at = start;
  if (bytes[at] === QUOTE) {
    at = skipQuoted(bytes, at, end);
    if (at < 0) return problem(`${header}: the quote of the display name is not closed`, start);
  }
  let open = at;
  while (open < end && bytes[open] !== LAQUOT && bytes[open] !== SEMI) open++;
  let uriStart: number;
  let uriEnd: number;
  let parametersStart: number;
  if (bytes[open] === LAQUOT && open < end) {
    const close = text.indexOf(">", open);
    if (close < 0 || close >= end) return problem(`${header}: "<" without ">"`, open);
    uriStart = skipSpace(bytes, open + 1, close);
    uriEnd = trimEnd(bytes, uriStart, close);
    parametersStart = skipSpace(bytes, close + 1, end);
  } else {
    uriStart = skipSpace(bytes, at, open);
    uriEnd = trimEnd(bytes, uriStart, open);
    if (/[,?]/.test(text.slice(uriStart, uriEnd)))
      return problem(`${header}: a URI with "," or "?" needs angle brackets`, at);
    parametersStart = open;
  }
  if (uriStart === uriEnd) return problem(`${header}: no URI`, start);
  if (!isUriAt(bytes, uriStart, uriEnd))
    return problem(`${header}: the URI contains a space or a bracket`, start);
  if (parametersStart < end && bytes[parametersStart] !== SEMI)
    return problem(`${header}: expected ";" after the address`, parametersStart);
  const tag = parameterAt(text, parametersStart, end, "tag");
  if (tag !== undefined && (tag.length > maxTokenBytes || !isToken(tag)))
    return problem(`${header}: the tag is not a token of at most ${maxTokenBytes} bytes`, parametersStart);
  const uri = text.slice(uriStart, uriEnd);
  return { uri, parameters: text.slice(parametersStart, end), tag, start, end };
}

/**
 * The value of a parameter in `;name=value;flag` text, without quotes and escapes; "": it has no value; undefined: it is absent. Names are
 * compared without case (§7.3.1).
 */
export const parameter = (parameters: string, name: string): string | undefined =>
  parameters === "" ? undefined : parameterAt(parameters, 0, parameters.length, name);

/** The same for the part of a text from `from` to `to`. */
function parameterAt(text: string, from: number, to: number, name: string): string | undefined {
  const bytes = bytesOf(text);
  let at = from;
  while (at < to) {
    if (bytes[at] !== SEMI) return undefined;
    const nameStart = skipSpace(bytes, at + 1, to);
    let nameEnd = nameStart;
    while (nameEnd < to && !endsName(bytes[nameEnd] as number)) nameEnd++;
    let valueStart = skipSpace(bytes, nameEnd, to);
    const hasValue = valueStart < to && bytes[valueStart] === EQUALS;
    if (hasValue) valueStart = skipSpace(bytes, valueStart + 1, to);
    let next = valueStart;
    const isQuoted = hasValue && valueStart < to && bytes[valueStart] === QUOTE;
    if (isQuoted) next = skipQuoted(bytes, valueStart, to);
    if (next < 0) return undefined;
    while (next < to && bytes[next] !== SEMI) next++;
    if (isNameAt(bytes, nameStart, nameEnd, name)) {
      if (!hasValue) return "";
      const raw = text.slice(valueStart, trimEnd(bytes, valueStart, next));
      return isQuoted ? raw.slice(1, -1).replace(/\\(.)/gs, "$1") : raw;
    }
    at = next;
  }
  return undefined;
}

const endsName = (code: number): boolean => code === SEMI || code === EQUALS || isSpace(code);
