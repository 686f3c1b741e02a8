/**
 * Received bytes to a message (RFC 3261 §7, §25.1).
 *
 * Reads the start line, indexes the header fields, and parses the five that every room needs: top Via, From, To, Call-ID, CSeq. All
 * else is parsed by who asks for it. Never throws: what cannot be read is `Malformed`, with as much as an answer needs.
 *
 * Leniencies: CRLFs before the start line are skipped (§7.5); bytes behind the body are dropped (§18.3). A CR or LF alone is refused,
 * because a phone that takes it for a line end would read a header that we never saw. The SIP-Version of the start line may come in any
 * case and leaves in upper case (§7.1): `text` has it so.
 */
import { CR, HT, isToken, isUnbroken, isUriText, parseDigits, SP, skipSpace, trimEnd } from "./characters.ts";
import { fieldName } from "./field-names.ts";
import { findField } from "./fields.ts";
import {
  maxCSeq,
  maxFieldBytes,
  maxFields,
  maxMessageBytes,
  maxMethodBytes,
  maxTokenBytes,
  maxUriBytes,
} from "./limits.ts";
import { valueEnd } from "./list-values.ts";
import type { CSeq, Field, FieldName, Message } from "./message.ts";
import { parseNameAddr } from "./name-addr.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";
import { parseVia, sipVersion, type Via } from "./via.ts";

/** What could not be read. A request among it is answered with `problem.status` where `via` was legible; nothing else is. */
export interface Malformed {
  readonly kind: "malformed";
  readonly problem: ParseProblem;
  readonly method: string | undefined;
  readonly text: string;
  readonly fields: readonly Field[];
  readonly via: Via | undefined;
}

/** `versionAt`: offset of the SIP-Version. */
type StartLine =
  | {
      readonly kind: "request";
      readonly method: string;
      readonly uri: string;
      readonly versionAt: number;
      readonly problem?: ParseProblem;
    }
  | {
      readonly kind: "response";
      readonly status: number;
      readonly reason: string;
      readonly versionAt: number;
    };

const protocol = `SIP/${sipVersion}`;

export function parseMessage(received: string): Message | Malformed {
  let begin = 0;
  while (received.charCodeAt(begin) === CR && received.charCodeAt(begin + 1) === 10) begin += 2;
  let text = begin === 0 ? received : received.slice(begin);
  const fields: Field[] = [];
  const lineEnd = endOfLine(text, 0);
  const start = isProblem(lineEnd) ? lineEnd : parseStartLine(text.slice(0, lineEnd));
  const method = "method" in start ? start.method : undefined;
  const fail = (why: ParseProblem, via?: Via): Malformed => ({
    kind: "malformed",
    problem: why,
    method,
    text,
    fields,
    via,
  });
  if (isProblem(lineEnd)) return fail(lineEnd);
  if (start.kind === "problem") return fail(start);
  text = withUpperCase(text, start.versionAt);

  const bodyStart = indexFields(text, lineEnd + 2, fields);
  const via = topVia(text, fields);
  if (isProblem(via)) return fail(via);
  if (via.version !== sipVersion)
    return fail(problem(`Via: expected SIP/${sipVersion}`, via.start, 505), via);
  if (isProblem(bodyStart)) return fail(bodyStart, via);
  if (text.length > maxMessageBytes)
    return fail(problem(`${text.length} bytes, at most ${maxMessageBytes}`, 0, 513), via);
  if (start.kind === "request" && start.problem !== undefined) return fail(start.problem, via);

  const length = contentLength(text, fields, bodyStart);
  if (isProblem(length)) return fail(length, via);
  if (bodyStart + length < text.length) text = text.slice(0, bodyStart + length);

  const from = parseOnly(text, fields, "from", "From");
  if (isProblem(from)) return fail(from, via);
  const to = parseOnly(text, fields, "to", "To");
  if (isProblem(to)) return fail(to, via);
  const callId = parseCallId(text, fields);
  if (typeof callId !== "string") return fail(callId, via);
  const cseq = parseCSeq(text, fields);
  if (isProblem(cseq)) return fail(cseq, via);
  const common = { text, fields, bodyStart, via, from, to, callId, cseq };
  if (start.kind === "response")
    return { kind: "response", status: start.status, reason: start.reason, ...common };
  if (cseq.method !== start.method)
    return fail(problem(`CSeq names ${cseq.method}, the request is ${start.method}`), via);
  return { kind: "request", method: start.method, uri: start.uri, ...common };
}

//  Request-Line = Method SP Request-URI SP SIP-Version        Status-Line = SIP-Version SP Status-Code SP Reason-Phrase
function parseStartLine(line: string): StartLine | ParseProblem {
  if (line.startsWith("SIP/2.0 ") || line.slice(0, 8).toUpperCase() === "SIP/2.0 ") {
    const status = parseDigits(line.slice(8, 11), 699);
    if (status < 100 || (line.length > 11 && line.charCodeAt(11) !== SP))
      return problem("status line: expected a code of 100 to 699", 8);
    return { kind: "response", status, reason: line.slice(12), versionAt: 0 };
  }
  const methodEnd = line.indexOf(" ");
  const uriEnd = line.lastIndexOf(" ");
  const method = line.slice(0, Math.max(methodEnd, 0));
  if (!isToken(method) || method.length > maxMethodBytes) return problem("request line: expected a method");
  if (uriEnd <= methodEnd) return problem("request line: expected method, URI and SIP/2.0", methodEnd);
  const uri = line.slice(methodEnd + 1, uriEnd);
  const request = { kind: "request", method, uri, versionAt: uriEnd + 1 } as const;
  const version = line.slice(uriEnd + 1).toUpperCase();
  if (version !== "SIP/2.0")
    return {
      ...request,
      problem: problem("expected SIP/2.0", uriEnd, /^SIP\/\d+\.\d+$/.test(version) ? 505 : 400),
    };
  if (uri.length > maxUriBytes)
    return {
      ...request,
      problem: problem(`Request-URI has ${uri.length} bytes, at most ${maxUriBytes}`, methodEnd, 414),
    };
  if (!isUriText(uri))
    return { ...request, problem: problem("the Request-URI holds a space or a bracket", methodEnd) };
  return request;
}

/** The text with our version of SIP at `at` as it has to be sent (§7.1); another version stays. */
function withUpperCase(text: string, at: number): string {
  if (text.startsWith(protocol, at)) return text;
  const end = at + protocol.length;
  return text.slice(at, end).toUpperCase() === protocol
    ? text.slice(0, at) + protocol + text.slice(end)
    : text;
}

/**
 * Fills `fields` and returns the offset behind the empty line, or the first problem. The lines behind a broken one are indexed all the
 * same, because the answer needs their Via, From, To, Call-ID and CSeq.
 */
function indexFields(text: string, from: number, fields: Field[]): number | ParseProblem {
  let at = from;
  let broken: ParseProblem | undefined;
  for (let count = 0; ; count++) {
    const lineEnd = endOfLine(text, at);
    if (isProblem(lineEnd)) return broken ?? lineEnd;
    if (lineEnd === at) return broken ?? lineEnd + 2;
    if (count === maxFields) return broken ?? problem(`more than ${maxFields} header fields`, at);
    let end = lineEnd + 2;
    while (isFold(text.charCodeAt(end))) {
      const next = endOfLine(text, end);
      if (isProblem(next)) return broken ?? next;
      end = next + 2;
    }
    const field = readField(text, at, lineEnd, end);
    if (isProblem(field)) broken ??= field;
    else fields.push(field);
    at = end;
  }
}

/** The field whose first line ends at `lineEnd` and whose last folded line ends before `end`. */
function readField(text: string, at: number, lineEnd: number, end: number): Field | ParseProblem {
  const colon = text.indexOf(":", at);
  if (colon < 0 || colon > lineEnd) return problem("a header line without a colon", at);
  const spelling = text.slice(at, trimEnd(text, at, colon));
  const name = fieldName(spelling);
  if (name === "other" && !isToken(spelling)) return problem("a header name is no token", at);
  const valueStart = skipSpace(text, colon + 1, end - 2);
  const valueEnd = trimEnd(text, valueStart, end - 2);
  return valueEnd - valueStart > maxFieldBytes
    ? problem(`${name}: more than ${maxFieldBytes} bytes`, at)
    : { name, start: at, valueStart, valueEnd, end };
}

/** Offset of the CRLF that ends the line at `at`. */
function endOfLine(text: string, at: number): number | ParseProblem {
  const feed = text.indexOf("\n", at);
  if (feed < 0) return problem("the header section does not end with an empty line", at);
  return text.indexOf("\r", at) === feed - 1 ? feed - 1 : problem("a line holds a CR or LF alone", feed);
}

const isFold = (code: number): boolean => code === SP || code === HT;

function topVia(text: string, fields: readonly Field[]): Via | ParseProblem {
  const field = findField(fields, "via");
  if (field === undefined) return problem("no Via");
  return parseVia(text, field.valueStart, valueEnd(text, field.valueStart, field.valueEnd));
}

function parseOnly(text: string, fields: readonly Field[], name: "from" | "to", header: string) {
  const field = onlyField(fields, name);
  return isProblem(field) ? field : parseNameAddr(text, field.valueStart, field.valueEnd, header);
}

function parseCallId(text: string, fields: readonly Field[]): string | ParseProblem {
  const field = onlyField(fields, "call-id");
  if (isProblem(field)) return field;
  const callId = text.slice(field.valueStart, field.valueEnd);
  if (callId.length === 0 || callId.length > maxTokenBytes || !isUnbroken(callId))
    return problem(`Call-ID: expected 1 to ${maxTokenBytes} bytes without space`, field.valueStart);
  return callId;
}

// CSeq = 1*DIGIT LWS Method
function parseCSeq(text: string, fields: readonly Field[]): CSeq | ParseProblem {
  const field = onlyField(fields, "cseq");
  if (isProblem(field)) return field;
  let at = field.valueStart;
  while (at < field.valueEnd && text.charCodeAt(at) > SP) at++;
  const number = parseDigits(text.slice(field.valueStart, at), maxCSeq);
  if (number < 0) return problem(`CSeq: expected a number below 2^31`, field.valueStart);
  const method = text.slice(skipSpace(text, at, field.valueEnd), field.valueEnd);
  return isToken(method) ? { number, method } : problem("CSeq: expected a method", at);
}

/** Bytes of the body: Content-Length, or over UDP all that came (§18.3). */
function contentLength(text: string, fields: readonly Field[], bodyStart: number): number | ParseProblem {
  const present = text.length - bodyStart;
  const field = onlyField(
    fields,
    "content-length",
    present === 0 || findField(fields, "content-length") === undefined,
  );
  if (field === undefined) return present;
  if (isProblem(field)) return field;
  const length = parseDigits(text.slice(field.valueStart, field.valueEnd), maxMessageBytes);
  if (length < 0) return problem("Content-Length is no number of bytes", field.valueStart);
  return length <= present
    ? length
    : problem(`Content-Length says ${length}, ${present} bytes came`, field.valueStart);
}

/** The one field of a header that may stand only once; two of them would let two hops read two messages. */
function onlyField(fields: readonly Field[], name: FieldName): Field | ParseProblem;
function onlyField(
  fields: readonly Field[],
  name: FieldName,
  isOptional: boolean,
): Field | ParseProblem | undefined;
function onlyField(
  fields: readonly Field[],
  name: FieldName,
  isOptional = false,
): Field | ParseProblem | undefined {
  let only: Field | undefined;
  for (const field of fields) {
    if (field.name !== name) continue;
    if (only !== undefined) return problem(`two ${name} fields`, field.start);
    only = field;
  }
  return only ?? (isOptional ? undefined : problem(`no ${name}`));
}
