/** Keys that match a request to its server transaction (RFC 3261 §17.2.3); docs/adr/0021 explains the additional criteria. */
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { sentBy } from "../wire/via.ts";

const magicCookie = "z9hG4bK";

/**
 * Whether the branch identifies a transaction. The bare cookie does not: it would be the same for all transactions of its sender, so its
 * request is matched as RFC 2543 requires. The comparison is case-sensitive, because phones encode a counter in base 64.
 */
export const isTransactionId = (branch: string | undefined): boolean =>
  branch !== undefined && branch.length > magicCookie.length && branch.startsWith(magicCookie);

/**
 * Requests with equal keys belong to one transaction. The key has the top branch, sent-by, method, Call-ID and CSeq number. Without a
 * magic cookie it has the Request-URI, To tag, From tag, Call-ID, CSeq number and the top Via as written. An ACK has the key of its
 * INVITE; a CANCEL finds its INVITE with that method (§9.2).
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
 * Equal for a request, its CANCEL and its ACK from any source: top branch, CSeq number and Call-ID. Without a magic cookie it has
 * everything that `serverKey` compares except the method and the To tag.
 */
export const exchangeKey = (request: Request): string =>
  isTransactionId(request.via.branch)
    ? `${request.via.branch} ${request.cseq.number} ${request.callId}`
    : serverKey(request, "", "");

/**
 * The key of an INVITE on its flow: top branch and Call-ID. A CANCEL or ACK with another sent-by matches it, as from a phone with several
 * interfaces, and a CANCEL with the CSeq number of an earlier INVITE. Undefined for a branch of RFC 2543.
 */
export const inviteKey = ({ via, callId }: Request, flow: Flow): string | undefined =>
  isTransactionId(via.branch) ? `${flow.key} ${via.branch} ${callId}` : undefined;

/** Equal for an INVITE and the ACK to its 2xx, from any source: Call-ID, CSeq number and From tag (§13.2.2.4). */
export const ackKey = ({ callId, cseq, from }: Request): string =>
  `${cseq.number} ${callId} ${from.tag ?? ""}`;
