/** Sends responses to the caller: those of this node, and those of branches that are forwarded (RFC 3261 §16.7). */
import { hash } from "node:crypto";
import { calleeContactEdits } from "../proxy/callee-contact.ts";
import type { Trust } from "../proxy/identity.ts";
import { responseCopy } from "../proxy/response-copy.ts";
import { isOwnViaBranch } from "../proxy/via-branch.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { type Answerable, buildResponse } from "../wire/build-response.ts";
import { type Flow, flowOf, transports, viaTransport } from "../wire/flow.ts";
import type { Request, Response } from "../wire/message.ts";
import type { Rejection } from "../wire/rejection.ts";
import type { Seal } from "../wire/seal.ts";
import { parseSecondVia } from "../wire/second-via.ts";
import { reportResponse, type RequestReportDependencies } from "./request-report.ts";
import type { ClientUser } from "./branch.ts";
import { ServerContext } from "./server-context.ts";
import type { MessageSender } from "./message-sender.ts";

export interface AnswersDependencies extends RequestReportDependencies {
  /** This node's id. */
  readonly node: string;
  /** Seals the branch of our Via. */
  readonly branchSeal: Seal;
  /** Seals the token in our Record-Route. */
  readonly tokenSeal: Seal;
  isPeer(flow: Flow): boolean;
}

/** A response of this node; `lines` are header lines, each with its CRLF. */
export type Answer = Pick<Rejection, "status" | "reason" | "lines">;

export class Answers {
  private readonly deps: AnswersDependencies;
  private readonly transactions: Transactions<ServerContext, ClientUser>;
  private readonly sender: MessageSender;
  private tagNumber = 0;
  private openRequests = 0;

  constructor(
    deps: AnswersDependencies,
    transactions: Transactions<ServerContext, ClientUser>,
    sender: MessageSender,
  ) {
    this.deps = deps;
    this.transactions = transactions;
    this.sender = sender;
  }

  /** Whether a request waits for its final response. */
  get hasOpenRequests(): boolean {
    return this.openRequests > 0;
  }

  /** A new request: later it gets a final response, or is dropped. */
  openContext(server: ServerTransaction<ServerContext>): ServerContext {
    this.openRequests += 1;
    this.tagNumber += 1;
    const toTag = `${this.deps.node}${this.tagNumber.toString(36)}`;
    const context = new ServerContext(server, this.deps.clock(), toTag);
    server.context = context;
    return context;
  }

  // ── Responses of this node ───────────────────────────────────────────────────────────────────────────────────────────────

  reply(context: ServerContext, { status, reason, lines }: Answer): void {
    const { server } = context;
    if (server.request === undefined) return;
    const toTag = status === 100 ? undefined : context.toTag;
    const text = buildResponse(server.request, server.flow, status, reason, toTag, lines);
    this.report(context, status);
    this.transactions.respond(server, status, text, this.deps.clock());
  }

  /** The 100 to an INVITE, once (§17.2.1). */
  sendTrying(context: ServerContext): void {
    if (!context.server.isInvite || context.hasSentTrying) return;
    context.hasSentTrying = true;
    this.reply(context, plain(100));
  }

  /**
   * To an unauthenticated sender: the response is sent once and the transaction ends (§8.2.7, §26.3.2.4). A forged source address gets no
   * retransmissions, and a flood leaves no transactions. A retransmitted request is answered again, with the same tag.
   */
  replyOnce(context: ServerContext, { status, reason, lines }: Answer): void {
    const { server } = context;
    if (server.request === undefined) return;
    const tag = this.deps.branchSeal.seal(factsOf(server.request));
    const text = buildResponse(server.request, server.flow, status, reason, tag, lines);
    this.report(context, status);
    server.terminate();
    this.sender.sendBack(text, server.flow);
  }

  /** Whether this ACK acknowledges a response of `replyOnce`, of any node: it needs no further handling. */
  isForReplyOnce(ack: Request): boolean {
    return ack.to.tag !== undefined && this.deps.branchSeal.isSealed(factsOf(ack), ack.to.tag);
  }

  /** To a request that gets no transaction; its retransmission gets the same To tag (§8.2.7). */
  replyStatelessly(
    request: Answerable,
    flow: Flow,
    method: string,
    status: number,
    reason: string,
    lines = "",
  ): void {
    if (method === "ACK") return;
    const text = buildResponse(request, flow, status, reason, hash("md5", request.text, "hex"), lines);
    this.deps.telemetry.response(method, status);
    this.sender.sendBack(text, flow);
  }

  /** Ends a request without a response of this node. */
  drop(context: ServerContext): void {
    this.close(context);
    context.server.terminate();
  }

  // ── Responses of branches ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Forwards a branch's response to the caller (§16.7 steps 3 and 9), with the challenges of `also`. */
  forwardResponse(context: ServerContext, response: Response, also: readonly Response[]): void {
    const { server } = context;
    const branch = context.branches.find(({ viaBranch }) => viaBranch === response.via.branch);
    const token = branch?.token;
    const changes =
      token === undefined ? [] : calleeContactEdits(response, token, server, this.deps.tokenSeal);
    const trust = this.trust(branch?.target.flow, server.flow);
    const text = responseCopy(response, server.flow, trust, also, changes);
    this.report(context, response.status);
    if (this.transactions.respond(server, response.status, text, this.deps.clock())) return;
    // A 2xx after another final response has no transaction any more; step 5 forwards it too
    if (response.status < 300) this.sender.sendBack(text, server.flow);
  }

  /** A 2xx to an INVITE whose node died is forwarded to the caller without a transaction (design-sip rule 3). */
  forwardStray(response: Response, from: Flow): void {
    if (response.cseq.method !== "INVITE" || response.status < 200 || response.status > 299) return;
    const caller = parseSecondVia(response);
    if (caller?.received === undefined || typeof caller.rport !== "number") return;
    const transport = transports.find((name) => viaTransport[name] === caller.transport);
    if (transport === undefined) return;
    const flow = flowOf(caller.received, caller.rport, transport);
    if (!isOwnViaBranch(response.via.branch ?? "", response.callId, flow.key, this.deps.branchSeal)) return;
    const text = responseCopy(response, flow, this.trust(from, flow));
    this.sender.sendBack(text, flow, "");
  }

  private trust(from: Flow | undefined, to: Flow): Trust {
    return { isFromPeer: from !== undefined && this.deps.isPeer(from), isToPeer: this.deps.isPeer(to) };
  }

  // ── Open requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private report(context: ServerContext, status: number): void {
    reportResponse(context, status, this.deps);
    if (status > 100 && status < 200) context.hasRung = true;
    if (status >= 200) this.close(context);
  }

  private close(context: ServerContext): void {
    if (!context.hasAnswered) this.openRequests -= 1;
    context.hasAnswered = true;
  }
}

/** The values that an INVITE shares with the ACK to its failure response, on every node. */
const factsOf = ({ via, callId, from, cseq }: Request): string =>
  `stranger ${via.branch ?? ""} ${callId} ${from.tag ?? ""} ${cseq.number}`;

/** A response of this node without additional header lines. */
export const plain = (status: number): Answer => ({
  status,
  reason: phrases[status] ?? "Failure",
  lines: "",
});

const phrases: Readonly<Record<number, string>> = {
  100: "Trying",
  200: "OK",
  408: "Request Timeout",
  480: "Temporarily Unavailable",
  481: "Call/Transaction Does Not Exist",
  487: "Request Terminated",
  500: "Server Internal Error",
  503: "Service Unavailable",
}; // prettier-ignore
