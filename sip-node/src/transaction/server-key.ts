/** How a request finds its server transaction (RFC 3261 §17.2.3). */
import type { Request } from "../wire/message.ts";
import { sentBy } from "../wire/via.ts";

const magicCookie = "z9hG4bK";

/**
 * Whether the branch names a transaction. The bare cookie does not: it would be one name for all transactions of its sender, so it is
 * matched as RFC 2543 asks. Case counts, because phones count in base 64.
 */
export const isTransactionId = (branch: string | undefined): boolean =>
  branch !== undefined && branch.length > magicCookie.length && branch.startsWith(magicCookie);

/**
 * Equal keys are one transaction: top branch, sent-by and method. Without a magic cookie: Request-URI, To tag, From tag, Call-ID, CSeq
 * number and the top Via as written. ACK counts as INVITE; a CANCEL finds its INVITE by naming that method (§9.2).
 */
export function serverKey(
  request: Request,
  method: string = request.method === "ACK" ? "INVITE" : request.method,
  toTag: string = request.to.tag ?? "",
): string {
  const { via } = request;
  if (isTransactionId(via.branch)) return `${via.branch} ${sentBy(via)} ${method}`;
  const callerAndCall = `${request.from.tag ?? ""} ${request.callId} ${request.cseq.number}`;
  return `${method} ${toTag} ${callerAndCall} ${request.uri} ${request.text.slice(via.start, via.end)}`;
}
