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
  isUriText,
  LAQUOT,
  QUOTE,
  SEMI,
  skipQuoted,
  skipSpace,
  trimEnd,
} from "./characters.ts";
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
  const start = skipSpace(text, from, to);
  const end = trimEnd(text, start, to);
  let at = start;
  if (text.charCodeAt(at) === QUOTE) {
    at = skipQuoted(text, at, end);
    if (at < 0) return problem(`${header}: the quote of the display name is not closed`, start);
  }
  let open = at;
  while (open < end && text.charCodeAt(open) !== LAQUOT && text.charCodeAt(open) !== SEMI) open++;
  let uriStart: number;
  let uriEnd: number;
  let parametersStart: number;
  if (text.charCodeAt(open) === LAQUOT && open < end) {
    const close = text.indexOf(">", open);
    if (close < 0 || close >= end) return problem(`${header}: "<" without ">"`, open);
    uriStart = skipSpace(text, open + 1, close);
    uriEnd = trimEnd(text, uriStart, close);
    parametersStart = skipSpace(text, close + 1, end);
  } else {
    uriStart = skipSpace(text, at, open);
    uriEnd = trimEnd(text, uriStart, open);
    if (/[,?]/.test(text.slice(uriStart, uriEnd)))
      return problem(`${header}: a URI with "," or "?" needs angle brackets`, at);
    parametersStart = open;
  }
  if (uriStart === uriEnd) return problem(`${header}: no URI`, start);
  if (!isUriText(text, uriStart, uriEnd))
    return problem(`${header}: the URI contains a space or a bracket`, start);
  if (parametersStart < end && text.charCodeAt(parametersStart) !== SEMI)
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
  parameterAt(parameters, 0, parameters.length, name);

/** The same for the part of a text from `from` to `to`. */
function parameterAt(text: string, from: number, to: number, name: string): string | undefined {
  let at = from;
  while (at < to) {
    if (text.charCodeAt(at) !== SEMI) return undefined;
    const nameStart = skipSpace(text, at + 1, to);
    let nameEnd = nameStart;
    while (nameEnd < to && !endsName(text.charCodeAt(nameEnd))) nameEnd++;
    let valueStart = skipSpace(text, nameEnd, to);
    const hasValue = valueStart < to && text.charCodeAt(valueStart) === EQUALS;
    if (hasValue) valueStart = skipSpace(text, valueStart + 1, to);
    let next = valueStart;
    const isQuoted = hasValue && valueStart < to && text.charCodeAt(valueStart) === QUOTE;
    if (isQuoted) next = skipQuoted(text, valueStart, to);
    if (next < 0) return undefined;
    while (next < to && text.charCodeAt(next) !== SEMI) next++;
    if (isNameAt(text, nameStart, nameEnd, name)) {
      if (!hasValue) return "";
      const raw = text.slice(valueStart, trimEnd(text, valueStart, next));
      return isQuoted ? raw.slice(1, -1).replace(/\\(.)/gs, "$1") : raw;
    }
    at = next;
  }
  return undefined;
}

const endsName = (code: number): boolean => code === SEMI || code === EQUALS || isSpace(code);
