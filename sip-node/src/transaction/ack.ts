/** The ACK of an INVITE client transaction to a final response other than 2xx (RFC 3261 §17.1.1.3). */
import { findField } from "../wire/fields.ts";
import type { Message, Response } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import { Invariant } from "./invariant.ts";

/**
 * The ACK's text. Request-URI, Call-ID, From, CSeq number, Route and the top Via are the INVITE's, To is the response's; Max-Forwards
 * is 70 (§8.1.1.6). Throws `Invariant` when `invite` is no request, because it is one that we sent.
 */
export function buildAck(invite: string, response: Response): string {
  const request = parseMessage(invite);
  if (request.kind !== "request") throw new Invariant("ACK: the INVITE that was sent cannot be read");
  let text = `ACK ${request.uri} SIP/2.0\r\nVia: ${request.text.slice(request.via.start, request.via.end)}\r\n`;
  for (const field of request.fields)
    if (field.name === "route") text += request.text.slice(field.start, field.end);
  text += `Max-Forwards: 70\r\n${line(request, "from")}${line(response, "to")}${line(request, "call-id")}`;
  return `${text}CSeq: ${request.cseq.number} ACK\r\nContent-Length: 0\r\n\r\n`;
}

function line(message: Message, name: "from" | "to" | "call-id"): string {
  const field = findField(message.fields, name);
  return field === undefined ? "" : message.text.slice(field.start, field.end);
}
