/**
 * Via (RFC 3261 §20.42, RFC 3581).
 *
 *   via-parm      = sent-protocol LWS sent-by *( SEMI via-params )
 *   sent-protocol = "SIP" SLASH "2.0" SLASH transport (another version is parsed too, and answered with 505)
 *   sent-by       = host [ COLON port ]
 *
 * White space around the slashes and the colon is allowed by the grammar and skipped. `rport` and `received` may be in any order. An unknown
 * transport is accepted, because it may be another hop's.
 */
import {
  COLON,
  EQUALS,
  hasAt,
  isNameAt,
  isToken,
  LBRACKET,
  parseDigits,
  QUOTE,
  SEMI,
  SP,
  skipQuoted,
  skipSpace,
  trimEnd,
} from "./characters.ts";
import { bytesOf } from "./bytes.ts";
import { maxTokenBytes } from "./limits.ts";
import { type ParseProblem, problem } from "./problem.ts";

export interface Via {
  /** `2.0`. A request with another version is answered with 505 (§21.5.6). */
  readonly version: string;
  /** Upper case: UDP, TCP ... */
  readonly transport: string;
  /** Lower case; an IPv6 reference keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  readonly received: string | undefined;
  /** The number that a server has filled in; true: the client requests it (RFC 3581 §3). */
  readonly rport: number | true | undefined;
  /** Offsets of this value in the text it was parsed from. */
  readonly start: number;
  readonly end: number;
}

/** Parses the one Via value between two offsets. */
export function parseVia(text: string, from: number, to: number): Via | ParseProblem {
  const bytes = bytesOf(text);
  const start = skipSpace(bytes, from, to);
  const end = trimEnd(bytes, start, to);
  if (hasAt(bytes, start, usualStart) && start + usualStart.length < end)
    return parseSentBy(text, start, start + usualStart.length, end, sipVersion, "UDP");
  const name = text.indexOf("/", start);
  const version = name < 0 ? -1 : text.indexOf("/", name + 1);
  if (version < 0 || version > end) return problem("Via: expected SIP/2.0/transport", start);
  const number = text.slice(name + 1, version).trim();
  if (text.slice(start, name).trim().toUpperCase() !== "SIP" || !isVersion(number))
    return problem("Via: expected SIP/2.0", start);
  const transportStart = skipSpace(bytes, version + 1, end);
  let at = transportStart;
  while (at < end && (bytes[at] as number) > SP) at++;
  const transport = upper(text.slice(transportStart, at));
  if (!isToken(transport)) return problem("Via: the transport is not a token", transportStart);
  return parseSentBy(text, start, at, end, number, transport);
}

const usualStart = "SIP/2.0/UDP ";

function parseSentBy(
  text: string,
  start: number,
  from: number,
  end: number,
  version: string,
  transport: string,
): Via | ParseProblem {
  const bytes = bytesOf(text);
  let at = skipSpace(bytes, from, end);
  const hostStart = at;
  if (bytes[at] === LBRACKET) {
    const close = text.indexOf("]", at);
    if (close < 0 || close >= end) return problem("Via: the IPv6 reference is not closed", at);
    at = close + 1;
  } else while (at < end && isHostCode(bytes[at] as number)) at++;
  const host = lower(text.slice(hostStart, at));
  if (host.length === 0) return problem("Via: no host", hostStart);
  at = skipSpace(bytes, at, end);
  let port: number | undefined;
  if (bytes[at] === COLON) {
    const portEnd = parameterEnd(bytes, at, end);
    port = parseDigits(text.slice(at + 1, portEnd).trim(), 65_535);
    if (port <= 0) return problem(`Via: port "${text.slice(at + 1, portEnd).trim()}" is not 1 to 65535`, at);
    at = portEnd;
  }
  const parametersStart = at;
  let branch: string | undefined;
  let received: string | undefined;
  let rport: number | true | undefined;
  while (at < end) {
    if (bytes[at] !== SEMI) return problem("Via: expected ; before a parameter", at);
    const next = parameterEnd(bytes, at + 1, end);
    if (next < 0) return problem("Via: a quoted parameter is not closed", at);
    const nameStart = skipSpace(bytes, at + 1, next);
    const equals = equalsIn(bytes, nameStart, next);
    const nameEnd = trimEnd(bytes, nameStart, equals < 0 ? next : equals);
    const valueStart = equals < 0 ? next : skipSpace(bytes, equals + 1, next);
    const valueStop = trimEnd(bytes, valueStart, next);
    if (isNameAt(bytes, nameStart, nameEnd, "branch")) branch = text.slice(valueStart, valueStop);
    else if (isNameAt(bytes, nameStart, nameEnd, "received")) received = text.slice(valueStart, valueStop);
    else if (isNameAt(bytes, nameStart, nameEnd, "rport"))
      rport = valueStart < valueStop ? parseDigits(text.slice(valueStart, valueStop), 65_535) : true;
    at = next;
  }
  if (branch !== undefined && (branch.length > maxTokenBytes || branch.length === 0))
    return problem(`Via: branch has ${branch.length} bytes, expected 1 to ${maxTokenBytes}`, parametersStart);
  if (rport === -1) return problem("Via: rport is no port number", parametersStart);
  return { version, transport, host, port, branch, received, rport, start, end };
}

/** Offset of the first "=", or -1. */
function equalsIn(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === EQUALS) return i;
  return -1;
}

/** Returns the valid Via value between two offsets without `received` and `rport`. */
export function withoutSource(text: string, start: number, end: number): string {
  const bytes = bytesOf(text);
  let remaining = "";
  let keptFrom = start;
  let at = parameterEnd(bytes, start, end);
  while (at < end) {
    const next = parameterEnd(bytes, at + 1, end);
    const nameStart = skipSpace(bytes, at + 1, next);
    const equals = equalsIn(bytes, nameStart, next);
    const nameEnd = trimEnd(bytes, nameStart, equals < 0 ? next : equals);
    if (isNameAt(bytes, nameStart, nameEnd, "rport") || isNameAt(bytes, nameStart, nameEnd, "received")) {
      remaining += text.slice(keptFrom, at);
      keptFrom = next;
    }
    at = next;
  }
  return remaining + text.slice(keptFrom, end);
}

/** Returns the offset of the `;` that ends the parameter at `at`, or `end`; -1: a quoted value is not closed. */
function parameterEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const code = bytes[i];
    if (code === SEMI) return i;
    if (code === QUOTE) {
      const next = skipQuoted(bytes, i, end);
      if (next < 0) return -1;
      i = next - 1;
    }
  }
  return end;
}

/** The one supported version. */
export const sipVersion = "2.0";
const isVersion = (text: string): boolean => text === sipVersion || /^\d{1,9}\.\d{1,9}$/.test(text);

// hostname and IPv4address. Leniency: "_" is not a host character, but such names exist
const isHostCode = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  code === 45 ||
  code === 46 ||
  code === 95; // prettier-ignore

const upper = (text: string): string => (text === "UDP" ? text : text.toUpperCase());
const lower = (text: string): string => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 65 && code <= 90) return text.toLowerCase();
  }
  return text;
};
