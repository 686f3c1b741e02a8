/**
 * The start line (RFC 3261 §7.1, §7.2).
 *
 *   Request-Line = Method SP Request-URI SP SIP-Version
 *   Status-Line  = SIP-Version SP Status-Code SP Reason-Phrase
 *
 * Leniency: the SIP-Version is accepted in upper and lower case.
 */
import { bytesOf } from "./bytes.ts";
import { isNameAt, isToken, isUriText, parseDigits, SP } from "./characters.ts";
import { maxMethodBytes, maxUriBytes } from "./limits.ts";
import { type ParseProblem, problem } from "./problem.ts";
import { sipVersion } from "./via.ts";

/** `versionAt`: offset of the SIP-Version. */
export type StartLine = RequestLine | StatusLine;

interface RequestLine {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  readonly versionAt: number;
  /** The method is valid and something else is not. */
  readonly problem?: ParseProblem;
}

interface StatusLine {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
  readonly versionAt: number;
}

const protocol = `SIP/${sipVersion}`;

/** The line from the start of the text to `end`. */
export function parseStartLine(text: string, end: number): StartLine | ParseProblem {
  const line = text.slice(0, end);
  const bytes = bytesOf(text);
  return end >= 8 && isNameAt(bytes, 0, 8, "sip/2.0 ")
    ? parseStatusLine(line)
    : parseRequestLine(line, bytes);
}

function parseStatusLine(line: string): StatusLine | ParseProblem {
  const status = parseDigits(line.slice(8, 11), 699);
  if (status < 100 || (line.length > 11 && line.charCodeAt(11) !== SP))
    return problem("status line: expected a code of 100 to 699", 8);
  return { kind: "response", status, reason: line.slice(12), versionAt: 0 };
}

function parseRequestLine(line: string, bytes: Uint8Array): RequestLine | ParseProblem {
  const methodEnd = line.indexOf(" ");
  const usualEnd = line.length - protocol.length - 1;
  const uriEnd = isNameAt(bytes, usualEnd, line.length, " sip/2.0") ? usualEnd : line.lastIndexOf(" ");
  const method = line.slice(0, Math.max(methodEnd, 0));
  if (!isToken(method) || method.length > maxMethodBytes) return problem("request line: expected a method");
  if (uriEnd <= methodEnd) return problem("request line: expected method, URI and SIP/2.0", methodEnd);
  const uri = line.slice(methodEnd + 1, uriEnd);
  const request = { kind: "request", method, uri, versionAt: uriEnd + 1 } as const;
  if (!isNameAt(bytes, uriEnd + 1, line.length, "sip/2.0"))
    return {
      ...request,
      problem: problem(
        "expected SIP/2.0",
        uriEnd,
        /^SIP\/\d+\.\d+$/i.test(line.slice(uriEnd + 1)) ? 505 : 400,
      ),
    };
  if (uri.length > maxUriBytes)
    return {
      ...request,
      problem: problem(`Request-URI has ${uri.length} bytes, at most ${maxUriBytes}`, methodEnd, 414),
    };
  if (!isUriText(uri))
    return { ...request, problem: problem("the Request-URI contains a space or a bracket", methodEnd) };
  return request;
}

/** Returns the text with the SIP-Version at `at` in upper case, as it must be sent (§7.1). Another version is not changed. */
export function normalizeVersion(text: string, at: number): string {
  if (text.startsWith(protocol, at)) return text;
  const end = at + protocol.length;
  return text.slice(at, end).toUpperCase() === protocol
    ? text.slice(0, at) + protocol + text.slice(end)
    : text;
}
