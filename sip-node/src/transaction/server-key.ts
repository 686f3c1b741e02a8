/** The facts of a request that identify its server transaction (RFC 3261 §17.2.3). `call-transactions.ts` compares them. */
import type { Request } from "../wire/message.ts";

const magicCookie = "z9hG4bK";

/**
 * Whether the branch identifies a transaction. The bare cookie does not: it would be the same for all transactions of its sender, so its
 * request is matched as RFC 2543 requires. The comparison is case-sensitive, because phones encode a counter in base 64.
 */
export const isTransactionId = (branch: string | undefined): boolean =>
  branch !== undefined && branch.length > magicCookie.length && branch.startsWith(magicCookie);

/** What is compared, besides method, Call-ID and CSeq number, when the branch identifies no transaction: To tag, From tag, URI, Via as written. */
export const legacyFacts = ({ from, uri, text, via }: Request, toTag: string): string =>
  `${toTag} ${from.tag ?? ""} ${uri} ${text.slice(via.start, via.end)}`;

/**
 * Equal for a request, its CANCEL and its ACK from any source: top branch, CSeq number and Call-ID. Without a magic cookie it has
 * everything that a match compares except the method and the To tag.
 */
export const exchangeKey = (request: Request): string => {
  const { via, cseq, callId } = request;
  const facts = isTransactionId(via.branch) ? via.branch : legacyFacts(request, "");
  return `${facts} ${cseq.number} ${callId}`;
};
