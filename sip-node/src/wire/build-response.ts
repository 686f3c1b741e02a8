/** A response of this node to a request (RFC 3261 §8.2.6, §16.7 step 9). */
import type { Flow } from "./flow.ts";
import type { Field, IndexedText } from "./message.ts";
import { unfold } from "./fields.ts";
import { parseNameAddr } from "./name-addr.ts";
import { isProblem } from "./problem.ts";
import { type Via, withoutSource } from "./via.ts";

/** A request that can be answered: its top Via is readable. It may be malformed otherwise. */
export interface Answerable extends IndexedText {
  readonly via: Via;
}

/**
 * Returns the text of the response. `toTag` is added to a To without a tag (undefined for 100). `lines` are whole header lines, each with its
 * CRLF. The top Via gets the source of the request (`stampVia`).
 */
export function buildResponse(
  request: Answerable,
  flow: Flow,
  status: number,
  reason: string,
  toTag: string | undefined,
  lines = "",
): string {
  let text = `SIP/2.0 ${status} ${oneLine(reason)}\r\n`;
  let isTopVia = true;
  for (const field of request.fields) {
    switch (field.name) {
      case "via":
        text += isTopVia
          ? `Via: ${stampVia(request, flow)}${request.text.slice(request.via.end, field.valueEnd)}\r\n`
          : line(request, field);
        isTopVia = false;
        break;
      case "to":
        text += toTag === undefined ? line(request, field) : `To: ${withTag(request, field, toTag)}\r\n`;
        break;
      case "from":
      case "call-id":
      case "cseq":
        text += line(request, field);
        break;
      case "timestamp":
        if (status === 100) text += line(request, field); // §8.2.6.1
        break;
      default:
    }
  }
  return `${text}${lines}Content-Length: 0\r\n\r\n`;
}

/** A reason may quote a folded value. */
const oneLine = (reason: string): string => reason.replace(/[\x00-\x1f\x7f]+/g, " ");

const line = (request: Answerable, field: Field): string => request.text.slice(field.start, field.end);

function withTag(request: Answerable, field: Field, tag: string): string {
  const value = unfold(request.text.slice(field.valueStart, field.valueEnd));
  const to = parseNameAddr(value, 0, value.length, "To");
  return isProblem(to) || to.tag !== undefined ? value : `${value};tag=${tag}`;
}

/**
 * The request's top Via value with `received` and a filled `rport` (§18.2.1, RFC 3581 §4). `received` is always written. It replaces a value
 * of the sender, and every later hop can read the caller's flow from this Via.
 */
export function stampVia(request: { readonly text: string; readonly via: Via }, flow: Flow): string {
  const { text, via } = request;
  const value =
    via.received === undefined && via.rport === undefined
      ? text.slice(via.start, via.end)
      : withoutSource(text, via.start, via.end);
  return `${value};received=${flow.address};rport=${flow.port}`;
}
