/**
 * The server transactions of one Call-ID, and the match of a request to one of them (RFC 3261 §17.2.3; docs/adr/0021 explains the additional
 * criteria). Every criterion contains the Call-ID, so one look-up finds the transactions of a request, its ACK and its CANCEL. The facts are
 * then compared one by one: no key is joined, hashed and kept for each of them.
 */
import type { Flow } from "../wire/flow.ts";
import { maxTransactionsOfCall } from "../wire/limits.ts";
import type { Request } from "../wire/message.ts";
import { detached } from "../wire/recent.ts";
import { isTransactionId, legacyFacts } from "./server-key.ts";
import type { ServerTransaction } from "./server-transaction.ts";

export class CallTransactions<S> {
  readonly callId: string;
  private newest: ServerTransaction<S> | undefined = undefined;
  private count = 0;

  constructor(callId: string) {
    this.callId = detached(callId);
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Whether a new transaction is refused: each match looks at all of them. */
  get isFull(): boolean {
    return this.count >= maxTransactionsOfCall;
  }

  add(server: ServerTransaction<S>): void {
    server.older = this.newest;
    this.newest = server;
    this.count += 1;
  }

  remove(server: ServerTransaction<S>): void {
    if (this.newest === server) this.newest = server.older;
    else {
      let newer = this.newest;
      while (newer !== undefined && newer.older !== server) newer = newer.older;
      if (newer === undefined) return;
      newer.older = server.older;
    }
    server.older = undefined;
    this.count -= 1;
  }

  /** The transaction with the facts of this request. An ACK has those of its INVITE; a CANCEL finds its INVITE with that method (§9.2). */
  find(
    request: Request,
    method: string = request.method === "ACK" ? "INVITE" : request.method,
    toTag: string = request.to.tag ?? "",
  ): ServerTransaction<S> | undefined {
    const { via, cseq } = request;
    const isIdentified = isTransactionId(via.branch);
    const legacy = isIdentified ? undefined : legacyFacts(request, toTag);
    for (let server = this.newest; server !== undefined; server = server.older)
      if (
        server.sequenceNumber === cseq.number &&
        server.method === method &&
        (isIdentified
          ? server.branch === via.branch &&
            server.sentByPort === (via.port ?? 5060) &&
            server.sentByHost === via.host
          : server.legacyFacts === legacy)
      )
        return server;
    return undefined;
  }

  /**
   * The latest INVITE with the top branch of this request, on the same flow. A CANCEL or ACK with another sent-by matches it, as from a phone with
   * several interfaces, and a CANCEL with the CSeq number of an earlier INVITE. Undefined for a branch of RFC 2543.
   */
  findInviteOn({ via }: Request, flow: Flow): ServerTransaction<S> | undefined {
    if (!isTransactionId(via.branch)) return undefined;
    for (let server = this.newest; server !== undefined; server = server.older)
      if (server.isInvite && server.branch === via.branch && server.flow.key === flow.key) return server;
    return undefined;
  }

  /** Whether an INVITE with the CSeq number and the From tag of this ACK was answered with 2xx, on any flow (§13.2.2.4). */
  hasAccepted({ cseq, from }: Request): boolean {
    for (let server = this.newest; server !== undefined; server = server.older)
      if (server.isAccepted && server.sequenceNumber === cseq.number && server.fromTag === from.tag)
        return true;
    return false;
  }
}
