/**
 * What goes back to whoever asked: responses of our own and those of branches on their way up, each told to the metrics and the log.
 */
import { hash } from "node:crypto";
import type { Call, Leg, Server } from "./server-context.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Destination } from "../cluster/delivery.ts";
import { isOwnBranch } from "../proxy/branch.ts";
import { identityEdits, type Trust } from "../proxy/identity.ts";
import type { Rejection } from "../wire/rejection.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { type Answerable, buildResponse } from "../wire/build-response.ts";
import { applyEdits, removeTopVia } from "../wire/edits.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import type { Request, Response } from "../wire/message.ts";
import type { Seal } from "../wire/seal.ts";
import type { Ms } from "../wire/units.ts";
import { parseSecondVia } from "../wire/second-via.ts";

export interface AnswersHouse {
  readonly node: string;
  /** Seals branches. */
  readonly branchSeal: Seal;
  readonly cluster: Pick<Cluster, "deliver">;
  isPeer(flow: Flow): boolean;
  readonly telemetry: Telemetry;
  clock(): Ms;
  /** One line for each event. */
  log(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The part of a response that is ours to say; `lines` are header lines, each with its CRLF. */
export type Answer = Pick<Rejection, "status" | "reason" | "lines">;

export class Answers {
  private readonly house: AnswersHouse;
  private readonly transactions: Transactions<Call, Leg | undefined>;
  private tagNumber = 0;
  private openRequests = 0;

  constructor(house: AnswersHouse, transactions: Transactions<Call, Leg | undefined>) {
    this.house = house;
    this.transactions = transactions;
  }

  /** Whether some request of a phone waits for its final response. */
  get areOwed(): boolean {
    return this.openRequests > 0;
  }

  /** A new request: it is owed a final response, or to be dropped. */
  open(): Call {
    this.openRequests += 1;
    return {
      receivedAt: this.house.clock(),
      toTag: this.newTag(),
      isTaken: undefined,
      context: undefined,
      legs: [],
      hasAnswered: false,
      hasRung: false,
      hasTried: false,
      silence: undefined,
      release: undefined,
    }; // prettier-ignore
  }

  /** A response of our own. */
  reply(server: Server, call: Call, { status, reason, lines }: Answer): void {
    const toTag = status === 100 ? undefined : call.toTag;
    const text = buildResponse(server.request, server.flow, status, reason, toTag, lines);
    this.report(server, call, status);
    this.transactions.respond(server, status, Buffer.from(text, "latin1"), this.house.clock());
  }

  /**
   * To a stranger, for whom nothing is kept (§8.2.7, §26.3.2.4): sent once, so that a forged source address makes no more of one
   * packet, and a flood of strangers leaves no transactions. A repeated request is answered anew, with the same tag.
   */
  replyOnce(server: Server, call: Call, { status, reason, lines }: Answer): void {
    const tag = this.house.branchSeal.seal(factsOf(server.request));
    const text = buildResponse(server.request, server.flow, status, reason, tag, lines);
    this.report(server, call, status);
    server.terminate();
    this.sendBack(Buffer.from(text, "latin1"), server.flow);
  }

  /** Whether this ACK is for an answer to a stranger, of whichever node: it has done its work. */
  isForReplyOnce(ack: Request): boolean {
    return ack.to.tag !== undefined && this.house.branchSeal.isSealed(factsOf(ack), ack.to.tag);
  }

  /** To a request that gets no transaction; its repetition gets the same To tag (§8.2.7). */
  replyStatelessly(request: Answerable, flow: Flow, method: string, status: number, reason: string): void {
    if (method === "ACK") return;
    const text = buildResponse(request, flow, status, reason, hash("md5", request.text, "hex"));
    this.house.telemetry.response(method, status);
    this.sendBack(Buffer.from(text, "latin1"), flow);
  }

  /** A branch's response on its way up (§16.7 steps 3 and 9), with the challenges of `also`. */
  relay(server: Server, call: Call, response: Response, also: readonly Response[]): void {
    const from = call.legs.find(({ branch }) => branch === response.via.branch)?.target.flow;
    const bytes = upstream(response, this.trust(from, server.flow), also);
    this.report(server, call, response.status);
    if (this.transactions.respond(server, response.status, bytes, this.house.clock())) return;
    // A 2xx after another final response went up has no transaction any more and goes up all the same (step 5)
    if (response.status < 300) this.sendBack(bytes, server.flow);
  }

  /** A 2xx to an INVITE whose node died must still reach the caller, or the callee talks to nobody (design-sip rule 3). */
  relayOrphan(response: Response, from: Flow): void {
    if (response.cseq.method !== "INVITE" || response.status < 200 || response.status > 299) return;
    const caller = parseSecondVia(response);
    if (caller?.received === undefined || typeof caller.rport !== "number") return;
    const flow = flowOf(caller.received, caller.rport);
    if (!isOwnBranch(response.via.branch ?? "", response.callId, flow.key, this.house.branchSeal)) return;
    this.sendBack(upstream(response, this.trust(from, flow)), flow, "");
  }

  private trust(from: Flow | undefined, to: Flow): Trust {
    const { house } = this;
    return { isFromPeer: from !== undefined && house.isPeer(from), isToPeer: house.isPeer(to) };
  }

  /** Ends a request without an answer of this node. */
  drop(server: Server, call: Call): void {
    this.close(call);
    server.terminate();
  }

  /** `node` is the one that the flow's request came to; "" where that is not known. */
  private sendBack(bytes: Uint8Array, flow: Flow, node = this.house.node): void {
    void this.house.cluster.deliver(whereItCameFrom(flow, node), bytes);
  }

  /** What became of a request. */
  private report(server: Server, call: Call, status: number): void {
    const { telemetry } = this.house;
    const { method, callId, from, to } = server.request;
    telemetry.response(method, status);
    const now = this.house.clock();
    const duration = now - call.receivedAt;
    if (server.isInvite && status > 100 && status < 200 && !call.hasRung) {
      call.hasRung = true;
      telemetry.ringing(duration);
    }
    if (status < 200) return;
    if (server.isInvite && status < 300 && !call.hasAnswered && to.tag === undefined)
      telemetry.callAnswered(now);
    if (server.isInvite && !call.hasAnswered && status !== 407) telemetry.inviteAnswered(duration);
    this.close(call);
    if (status !== 401 && status !== 407)
      this.house.log("request", {
        method,
        status,
        callId,
        from: from.uri,
        to: to.uri,
        source: server.flow.key,
        ms: Math.round(duration),
      });
  }

  private close(call: Call): void {
    if (!call.hasAnswered) this.openRequests -= 1;
    call.hasAnswered = true;
  }

  private newTag(): string {
    this.tagNumber += 1;
    return `${this.house.node}${this.tagNumber.toString(36)}`;
  }
}

/** What an INVITE and the ACK to its failure have in common, whichever node gets it. */
const factsOf = ({ via, callId, from, cseq }: Request): string =>
  `stranger ${via.branch ?? ""} ${callId} ${from.tag ?? ""} ${cseq.number}`;

/** A response without header lines of its own. */
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

/** A response goes to where its request came from, which only the flow's owner can do: `node`, where no other has heard it since. */
export const whereItCameFrom = (flow: Flow, node: string): Destination => ({
  flow,
  isBehindNat: true,
  ownerNode: node,
});

/** Without our Via, and without what its sender is not believed. */
function upstream(response: Response, trust: Trust, also: readonly Response[] = []): Buffer {
  const edits = [removeTopVia(response), ...identityEdits(response, trust)];
  for (const other of also)
    for (const field of other.fields)
      if (field.name === "www-authenticate" || field.name === "proxy-authenticate")
        edits.push({
          start: response.bodyStart - 2,
          end: response.bodyStart - 2,
          text: other.text.slice(field.start, field.end),
        });
  return Buffer.from(applyEdits(response.text, edits), "latin1");
}
