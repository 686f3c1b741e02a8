/**
 * From received bytes to a message (RFC 3261 §7, §25.1).
 *
 * It reads the start line, indexes the header fields, and parses the five that every message needs: top Via, From, To, Call-ID and CSeq. All
 * other fields are parsed by the code that uses them. It never throws. A message that cannot be read is `Malformed`, with everything that an
 * error response needs.
 *
 * Leniencies: CRLFs before the start line are skipped (§7.5). Bytes after the body are dropped (§18.3). The SIP-Version of the start line is
 * accepted in upper and lower case, and `text` has it in upper case (§7.1).
 */
import { parseCallId } from "./call-id.ts";
import { CR, LF } from "./characters.ts";
import { parseContentLength } from "./content-length.ts";
import { parseCSeq } from "./cseq.ts";
import { findField, onlyField } from "./fields.ts";
import { endOfLine, indexFields } from "./index-fields.ts";
import { maxMessageBytes } from "./limits.ts";
import { valueEnd } from "./list-values.ts";
import type { Field, Message } from "./message.ts";
import { type NameAddr, parseNameAddr } from "./name-addr.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";
import { normalizeVersion, parseStartLine } from "./start-line.ts";
import { parseVia, sipVersion, type Via } from "./via.ts";

/** A message that could not be read. Only a request with a readable `via` is answered, with `problem.status`. */
export interface Malformed {
  readonly kind: "malformed";
  readonly problem: ParseProblem;
  readonly method: string | undefined;
  readonly text: string;
  readonly fields: readonly Field[];
  readonly via: Via | undefined;
}

export function parseMessage(received: string): Message | Malformed {
  let begin = 0;
  while (received.charCodeAt(begin) === CR && received.charCodeAt(begin + 1) === LF) begin += 2;
  let text = begin === 0 ? received : received.slice(begin);
  const fields: Field[] = [];
  const lineEnd = endOfLine(text, 0);
  const start = isProblem(lineEnd) ? lineEnd : parseStartLine(text, lineEnd);
  const method = "method" in start ? start.method : undefined;
  const fail = (reason: ParseProblem, via?: Via): Malformed => ({
    kind: "malformed",
    problem: reason,
    method,
    text,
    fields,
    via,
  });
  if (isProblem(lineEnd)) return fail(lineEnd);
  if (start.kind === "problem") return fail(start);
  text = normalizeVersion(text, start.versionAt);

  const bodyStart = indexFields(text, lineEnd + 2, fields);
  const via = parseTopVia(text, fields);
  if (isProblem(via)) return fail(via);
  if (via.version !== sipVersion)
    return fail(problem(`Via: expected SIP/${sipVersion}`, via.start, 505), via);
  if (isProblem(bodyStart)) return fail(bodyStart, via);
  if (text.length > maxMessageBytes)
    return fail(problem(`${text.length} bytes, at most ${maxMessageBytes}`, 0, 513), via);
  if (start.kind === "request" && start.problem !== undefined) return fail(start.problem, via);

  const length = parseContentLength(text, fields, bodyStart);
  if (isProblem(length)) return fail(length, via);
  if (bodyStart + length < text.length) text = text.slice(0, bodyStart + length);

  const from = parseParty(text, fields, "from", "From");
  if (isProblem(from)) return fail(from, via);
  const to = parseParty(text, fields, "to", "To");
  if (isProblem(to)) return fail(to, via);
  const callId = parseCallId(text, fields);
  if (typeof callId !== "string") return fail(callId, via);
  const cseq = parseCSeq(text, fields);
  if (isProblem(cseq)) return fail(cseq, via);
  if (start.kind === "response") {
    const { status, reason } = start;
    return { kind: "response", status, reason, text, fields, bodyStart, via, from, to, callId, cseq };
  }
  if (cseq.method !== start.method)
    return fail(problem(`CSeq names ${cseq.method}, the request is ${start.method}`), via);
  const { method: name, uri } = start;
  return { kind: "request", method: name, uri, text, fields, bodyStart, via, from, to, callId, cseq };
}

function parseTopVia(text: string, fields: readonly Field[]): Via | ParseProblem {
  const field = findField(fields, "via");
  if (field === undefined) return problem("no Via");
  return parseVia(text, field.valueStart, valueEnd(text, field.valueStart, field.valueEnd));
}

/** From or To. */
function parseParty(
  text: string,
  fields: readonly Field[],
  name: "from" | "to",
  header: string,
): NameAddr | ParseProblem {
  const field = onlyField(fields, name);
  return isProblem(field) ? field : parseNameAddr(text, field.valueStart, field.valueEnd, header);
}
