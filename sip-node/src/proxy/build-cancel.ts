/** The CANCEL of a forwarded INVITE (RFC 3261 §9.1): hop by hop, with the one Via that the INVITE left with. */
import type { Request } from "../wire/message.ts";

export function buildCancel(invite: Request): string {
  const { text, fields, via, uri, cseq } = invite;
  let lines = `CANCEL ${uri} SIP/2.0\r\nVia: ${text.slice(via.start, via.end)}\r\n`;
  for (const field of fields)
    if (field.name === "from" || field.name === "to" || field.name === "call-id" || field.name === "route")
      lines += text.slice(field.start, field.end);
  return `${lines}CSeq: ${cseq.number} CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`;
}
