/** Valid messages for tests, as text and parsed. Any header field can be replaced, omitted or added. */
import type { Request, Response } from "../../sip-node/src/wire/message.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";

/** By header name; undefined: no field; a list: several fields. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

export function requestText(method: string, uri: string, fields: Fields = {}, body = ""): string {
  return `${method} ${uri} SIP/2.0\r\n${lines({
    Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;rport",
    "Max-Forwards": "70",
    From: "<sip:alice@example.com>;tag=alice-1",
    To: "<sip:bob@example.com>",
    "Call-ID": "call-1",
    CSeq: `1 ${method}`,
    "Content-Length": String(body.length),
    ...fields,
  })}\r\n${body}`;
}

export function responseText(status: number, reason: string, fields: Fields = {}): string {
  return `SIP/2.0 ${status} ${reason}\r\n${lines({
    Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;rport",
    From: "<sip:alice@example.com>;tag=alice-1",
    To: "<sip:bob@example.com>;tag=bob-1",
    "Call-ID": "call-1",
    CSeq: "1 INVITE",
    "Content-Length": "0",
    ...fields,
  })}\r\n`;
}

/** Throws when the parser refuses the text: the test is wrong. */
export function requestOf(method: string, uri: string, fields: Fields = {}, body = ""): Request {
  const message = parseMessage(requestText(method, uri, fields, body));
  if (message.kind !== "request") throw new Error(JSON.stringify(message));
  return message;
}

export function responseOf(status: number, reason = "Reason", fields: Fields = {}): Response {
  const message = parseMessage(responseText(status, reason, fields));
  if (message.kind !== "response") throw new Error(JSON.stringify(message));
  return message;
}

const lines = (fields: Fields): string =>
  Object.entries(fields)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one: string | undefined) => [name, one]),
    )
    .map(([name, value]) => (value === undefined ? "" : `${name}: ${value}\r\n`))
    .join("");
