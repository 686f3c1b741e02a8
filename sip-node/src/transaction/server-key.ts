/** How a request finds its server transaction (RFC 3261 §17.2.3), and what is asked beyond it: docs/adr/0021. */
import type { Flow } from "../wire/flow.ts";
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
 * Equal keys are one transaction: top branch, sent-by, method, Call-ID and CSeq number. Without a magic cookie: Request-URI, To tag, From
 * tag, Call-ID, CSeq number and the top Via as written. ACK counts as INVITE; a CANCEL finds its INVITE by naming that method (§9.2).
 */
export function serverKey(
  request: Request,
  method: string = request.method === "ACK" ? "INVITE" : request.method,
  toTag: string = request.to.tag ?? "",
): string {
  const { via } = request;
  if (isTransactionId(via.branch)) return `${method} ${sentBy(via)} ${exchangeKey(request)}`;
  const callerAndCall = `${request.from.tag ?? ""} ${request.callId} ${request.cseq.number}`;
  return `${method} ${toTag} ${callerAndCall} ${request.uri} ${request.text.slice(via.start, via.end)}`;
}

/**
 * Equal for a request, its CANCEL and its ACK, wherever they come from: top branch, CSeq number and Call-ID. Without a magic cookie all
 * that `serverKey` compares, but the method and the To tag.
 */
export const exchangeKey = (request: Request): string =>
  isTransactionId(request.via.branch)
    ? `${request.via.branch} ${request.cseq.number} ${request.callId}`
    : serverKey(request, "", "");

/**
 * By which an INVITE is found on its flow: top branch and Call-ID, for a CANCEL or ACK with another sent-by, as of a phone behind several
 * interfaces, and for a CANCEL with the CSeq number of an earlier INVITE. Undefined for RFC 2543.
 */
export const inviteKey = ({ via, callId }: Request, flow: Flow): string | undefined =>
  isTransactionId(via.branch) ? `${flow.key} ${via.branch} ${callId}` : undefined;
