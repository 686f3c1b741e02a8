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
  let uri: string;
  let parametersStart: number;
  if (text.charCodeAt(open) === LAQUOT && open < end) {
    const close = text.indexOf(">", open);
    if (close < 0 || close >= end) return problem(`${header}: "<" without ">"`, open);
    const uriStart = skipSpace(text, open + 1, close);
    uri = text.slice(uriStart, trimEnd(text, uriStart, close));
    parametersStart = skipSpace(text, close + 1, end);
  } else {
    const uriStart = skipSpace(text, at, open);
    uri = text.slice(uriStart, trimEnd(text, uriStart, open));
    if (/[,?]/.test(uri)) return problem(`${header}: a URI with "," or "?" needs angle brackets`, at);
    parametersStart = open;
  }
  if (uri.length === 0) return problem(`${header}: no URI`, start);
  if (!isUriText(uri)) return problem(`${header}: the URI contains a space or a bracket`, start);
  if (parametersStart < end && text.charCodeAt(parametersStart) !== SEMI)
    return problem(`${header}: expected ";" after the address`, parametersStart);
  const parameters = text.slice(parametersStart, end);
  const tag = parameters === "" ? undefined : parameter(parameters, "tag");
  if (tag !== undefined && (tag.length > maxTokenBytes || !isToken(tag)))
    return problem(`${header}: the tag is not a token of at most ${maxTokenBytes} bytes`, parametersStart);
  return { uri, parameters, tag, start, end };
}

/**
 * The value of a parameter in `;name=value;flag` text, without quotes and escapes; "": it has no value; undefined: it is absent. Names are
 * compared without case (§7.3.1).
 */
export function parameter(parameters: string, name: string): string | undefined {
  let at = 0;
  while (at < parameters.length) {
    if (parameters.charCodeAt(at) !== SEMI) return undefined;
    const nameStart = skipSpace(parameters, at + 1, parameters.length);
    let nameEnd = nameStart;
    while (nameEnd < parameters.length && !endsName(parameters.charCodeAt(nameEnd))) nameEnd++;
    let valueStart = skipSpace(parameters, nameEnd, parameters.length);
    const hasValue = parameters[valueStart] === "=";
    if (hasValue) valueStart = skipSpace(parameters, valueStart + 1, parameters.length);
    let next = valueStart;
    const isQuoted = hasValue && parameters.charCodeAt(valueStart) === QUOTE;
    if (isQuoted) next = skipQuoted(parameters, valueStart, parameters.length);
    if (next < 0) return undefined;
    next = parameters.indexOf(";", next);
    if (next < 0) next = parameters.length;
    if (isNameAt(parameters, nameStart, nameEnd, name)) {
      if (!hasValue) return "";
      const raw = parameters.slice(valueStart, trimEnd(parameters, valueStart, next));
      return isQuoted ? raw.slice(1, -1).replace(/\\(.)/gs, "$1") : raw;
    }
    at = next;
  }
  return undefined;
}

const endsName = (code: number): boolean => code === SEMI || code === EQUALS || isSpace(code);
