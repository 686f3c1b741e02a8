/**
 * A SIP node: all events enter here, and each is handled in one direction, from left to right. A response, a time-out or a failure of a client
 * transaction continues at the branch that started it. Only queries to the database and to peers are asynchronous.
 *
 *   datagram ─► admission ─► parse ─► cluster.claimFlow ─┬─ request ──► requests ─┬─ new ──► methods ─┬─ registrar ─► answers
 *                                                        │                        │                   └─ proxy ─────► branches ─► answers
 *                                                        │                        ├─ ACK to a 2xx ─► acks
 *                                                        │                        └─ new, while draining ─► cluster.handOver
 *                                                        └─ response ─► transactions ─► branches ─► answers
 *                                                                            └─ of another node ─► cluster.relayResponse
 *   answers, branches ─► transactions ─► message sender ─► cluster.deliver ─► bytes
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { RelayReceiver } from "../cluster/frame-handlers.ts";
import type { NodeLoad } from "../cluster/node-directory.ts";
import { isScanner } from "../overload/scanner.ts";
import { readViaBranch } from "../proxy/via-branch.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import { Transactions } from "../transaction/transactions.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request, Response } from "../wire/message.ts";
import { type Malformed, parseMessage } from "../wire/parse-message.ts";
import { parseSecondVia } from "../wire/second-via.ts";
import { Acks, type AcksDependencies } from "./acks.ts";
import { Admission, type AdmissionDependencies } from "./admission.ts";
import { Answers, type AnswersDependencies } from "./answers.ts";
import { BranchCopies, type BranchCopiesDependencies } from "./branch-copies.ts";
import { Branches, type BranchesDependencies } from "./branches.ts";
import { Methods, type MethodsDependencies } from "./methods.ts";
import { Requests, type RequestsDependencies } from "./requests.ts";
import type { ClientUser } from "./branch.ts";
import type { ServerContext } from "./server-context.ts";
import { MessageSender, type MessageSenderDependencies } from "./message-sender.ts";

export interface NodeDependencies
  extends RequestsDependencies,
    MethodsDependencies,
    AcksDependencies,
    BranchesDependencies,
    BranchCopiesDependencies,
    AnswersDependencies,
    AdmissionDependencies,
    MessageSenderDependencies {
  readonly lookup: MethodsDependencies["lookup"];
  readonly cluster: RequestsDependencies["cluster"] &
    MethodsDependencies["cluster"] &
    AdmissionDependencies["cluster"] &
    Pick<Cluster, "deliver" | "claimFlow" | "relayResponse" | "isIdle">;
  readonly telemetry: Telemetry;
  /** Default: `wire/limits.ts`. */
  readonly maxTransactions?: number;
}

export class Node implements RelayReceiver {
  readonly transactions: Transactions<ServerContext, ClientUser>;
  private readonly deps: NodeDependencies;
  private readonly sender: MessageSender;
  private readonly answers: Answers;
  private readonly branches: Branches;
  private readonly acks: Acks;
  private readonly methods: Methods;
  private readonly requests: Requests;
  private readonly admission: Admission;

  constructor(deps: NodeDependencies) {
    this.deps = deps;
    const { maxTransactions } = deps;
    const options = maxTransactions === undefined ? {} : { maxTransactions };
    const copies = new BranchCopies(deps);
    this.sender = new MessageSender(deps);
    this.transactions = new Transactions(this.sender, deps.clock(), options);
    this.answers = new Answers(deps, this.transactions, this.sender);
    this.branches = new Branches(deps, this.transactions, this.answers, copies);
    this.acks = new Acks(deps, copies, this.sender);
    this.methods = new Methods(deps, this.transactions, this.answers, this.branches);
    this.requests = new Requests(deps, this.transactions, this.answers, this.acks, this.methods);
    this.admission = new Admission(deps, (datagram, flow, isKnown) =>
      this.serveDatagram(datagram, flow, isKnown),
    );
  }

  // ── Time and state ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Fires all timers that are due; called every 10 to 50 ms. */
  tick(): void {
    const now = this.deps.clock();
    this.admission.advance(now);
    this.transactions.advance(now);
    this.branches.advance(now);
    this.methods.advance(now);
  }

  /** Whether a request of a phone waits for its final response. */
  get hasOpenRequests(): boolean {
    return this.answers.hasOpenRequests;
  }

  /** Whether an ACK is being forwarded: no transaction would retransmit it. */
  get isForwarding(): boolean {
    return this.acks.isForwarding;
  }

  /** Whether this node has no work left and peers have none left for it: a draining node may exit (design-sip rule 21). */
  get isDrained(): boolean {
    const { server, client } = this.transactions.counts;
    const isWorking = server + client > 0 || this.isForwarding || this.admission.isWaiting;
    return !isWorking && this.deps.cluster.isIdle;
  }

  get load(): NodeLoad {
    const { telemetry } = this.deps;
    return { transactions: this.transactions.counts.server, ...telemetry.perMinute(this.deps.clock()) };
  }

  // ── Datagrams ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram from a phone. */
  receiveDatagram(datagram: string, flow: Flow): void {
    this.admission.receive(datagram, flow);
  }

  private serveDatagram(datagram: string, flow: Flow, isKnown: boolean): void {
    const { cluster, telemetry } = this.deps;
    if (isKeepalive(datagram)) {
      cluster.claimFlow(flow);
      if (datagram.length >= 4) this.sender.sendBack("\r\n", flow);
      return;
    }
    const message = parseMessage(datagram);
    switch (message.kind) {
      case "malformed":
        return this.malformed(message, flow, isKnown);
      case "response":
        cluster.claimFlow(flow);
        return this.response(message, datagram, flow);
      case "request": {
        telemetry.request(message.method);
        if (!isKnown && isScanner(message)) return this.deps.overload.drop("scanner");
        const knownFlow = cluster.claimFlow(flow);
        return this.requests.receive(
          { request: message, datagram, flow, knownFlow, peer: undefined },
          isKnown,
        );
      }
    }
  }

  /**
   * A datagram to the second socket: the response of a phone that was reached directly (design-sip rule 7). It does not make this node
   * the owner of the flow. A request to that socket is ignored, because its response could not reach the sender.
   */
  receiveDirectDatagram(datagram: string, flow: Flow): void {
    const message = parseMessage(datagram);
    if (message.kind === "response") this.response(message, datagram, flow);
  }

  /** A response that a peer received for a transaction of this node. */
  receiveRelayedResponse(datagram: string): void {
    const message = parseMessage(datagram);
    if (message.kind === "response") this.receiveResponse(message);
  }

  /** A request that a peer received; true: this node has its transaction, and handles the request. */
  acceptOffered(datagram: string, flow: Flow): boolean {
    const request = requestIn(datagram);
    if (request === undefined) return false;
    return this.requests.receiveOffered({ request, datagram, flow, knownFlow: undefined, peer: undefined });
  }

  /** A request that a draining peer received; true: this node handles it. */
  acceptHandedOver(datagram: string, flow: Flow, peer: string): boolean {
    const request = requestIn(datagram);
    if (request === undefined) return false;
    return this.requests.receiveHandedOver({ request, datagram, flow, knownFlow: undefined, peer });
  }

  // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private malformed(message: Malformed, flow: Flow, isKnown: boolean): void {
    const { text, fields, method, via, problem } = message;
    this.deps.telemetry.malformed();
    if (!isKnown && isScanner(message)) return this.deps.overload.drop("scanner");
    if (method === undefined || method === "ACK" || via === undefined)
      return this.deps.overload.drop("malformed"); // it cannot be answered
    this.deps.cluster.claimFlow(flow);
    this.answers.replyStatelessly({ text, fields, via }, flow, method, problem.status, problem.reason);
  }

  private response(response: Response, datagram: string, flow: Flow): void {
    if (this.receiveResponse(response)) return;
    const branch = readViaBranch(response.via.branch);
    if (branch === undefined || branch.node === this.deps.node) return;
    if (this.deps.cluster.relayResponse(branch.node, datagram, flow)) return;
    this.answers.forwardStray(response, flow);
  }

  /**
   * False: it matches no transaction of this node; it may match one of another node. A response without a Via below ours ends at this node
   * (§16.7 step 3): a response to our CANCEL is processed, any other is dropped.
   */
  private receiveResponse(response: Response): boolean {
    if (response.cseq.method !== "CANCEL" && parseSecondVia(response) === undefined) {
      this.deps.telemetry.malformed();
      return true;
    }
    return this.transactions.receiveResponse(response, this.deps.clock());
  }
}

/** A datagram of CRLFs keeps the NAT mapping alive; two CRLFs are a ping, which is answered with one (RFC 5626 §4.4.1). */
const isKeepalive = (text: string): boolean => text.length <= 8 && /^[\r\n\0]*$/.test(text);

function requestIn(datagram: string): Request | undefined {
  const message = parseMessage(datagram);
  return message.kind === "request" ? message : undefined;
}
