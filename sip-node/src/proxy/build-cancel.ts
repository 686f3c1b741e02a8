/** The CANCEL of a forwarded INVITE (RFC 3261 §9.1), with the top Via of the INVITE only. `lines`: header lines to add, such as Reason. */
import type { Request } from "../wire/message.ts";

export function buildCancel(invite: Request, lines = ""): string {
  const { text, fields, via, uri, cseq } = invite;
  let copied = `CANCEL ${uri} SIP/2.0\r\nVia: ${text.slice(via.start, via.end)}\r\n`;
  for (const field of fields)
    if (field.name === "from" || field.name === "to" || field.name === "call-id" || field.name === "route")
      copied += text.slice(field.start, field.end);
  return `${copied}CSeq: ${cseq.number} CANCEL\r\nMax-Forwards: 70\r\n${lines}Content-Length: 0\r\n\r\n`;
}
