/**
 * The floor plan of a SIP node: which room a message enters, in which order, and what is done with what the room says. Everything here
 * happens in one turn of the event loop but the questions to the database and to peers.
 *
 *   datagram ─► wire ─► cluster.claimFlow ─┬─ response ─► transaction ─► response-context ─► effects
 *                                          │                  └─ not ours ─► cluster.relayResponse
 *                                          └─ request ──► requests ───► registrar · proxy ─► effects
 *   effects ──► reply · relay · branch · cancel ─► transaction ─► cluster.deliver ─► bytes
 */
import { Answers, type AnswersHouse, plain, whereItCameFrom } from "./answers.ts";
import { Branches, type BranchesHouse } from "./branches.ts";
import type { Call, Client, Leg, Server } from "./server-context.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { NodeLoad } from "../cluster/node-directory.ts";
import { readBranch } from "../proxy/branch.ts";
import { type Effect, type Event, step } from "../proxy/response-context.ts";
import { Requests, type RequestsHouse } from "./requests.ts";
import { type TransactionUser, Transactions } from "../transaction/transactions.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request, Response } from "../wire/message.ts";
import { type Malformed, parseMessage } from "../wire/parse-message.ts";
import type { Ms } from "../wire/units.ts";
import { parseSecondVia } from "../wire/second-via.ts";

export interface NodeHouse extends RequestsHouse, AnswersHouse, BranchesHouse {
  readonly cluster: RequestsHouse["cluster"] & Pick<Cluster, "claimFlow" | "relayResponse" | "isIdle">;
  /** At most; default: `wire/limits.ts`. */
  readonly maxTransactions?: number;
}

export class Node implements TransactionUser<Call, Leg | undefined> {
  readonly transactions: Transactions<Call, Leg | undefined>;
  private readonly answers: Answers;
  private readonly branches: Branches;
  private readonly requests: Requests;
  private readonly house: NodeHouse;

  constructor(house: NodeHouse) {
    this.house = house;
    this.transactions = new Transactions(this, house.clock(), {
      ...(house.maxTransactions === undefined ? {} : { maxTransactions: house.maxTransactions }),
    });
    this.answers = new Answers(house, this.transactions);
    const advance = (server: Server, event: Event) => this.advance(server, event);
    this.branches = new Branches(house, this.transactions, advance);
    this.requests = new Requests(house, this.transactions, this.answers, this.branches, advance);
  }

  tick(): void {
    const now = this.house.clock();
    this.transactions.advance(now);
    this.branches.advance(now);
    this.requests.advance(now);
  }

  /** Whether some request of a phone waits for its final response. */
  hasOpenRequests(): boolean {
    return this.answers.areOwed;
  }

  /** Whether an ACK is on its way through this node: it has no transaction that would repeat it. */
  get isForwarding(): boolean {
    return this.requests.isForwarding;
  }

  /** Whether nothing here and nothing that peers hold for this node is left to be done: it may go (design-sip rule 21). */
  get isDrained(): boolean {
    const { server, client } = this.transactions.counts;
    return server + client === 0 && !this.isForwarding && this.house.cluster.isIdle;
  }

  get figures(): NodeLoad {
    const { telemetry } = this.house;
    return { transactions: this.transactions.counts.server, ...telemetry.perMinute(this.house.clock()) };
  }

  // ── Datagrams ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram of a phone. */
  datagram(bytes: Buffer, flow: Flow): void {
    const { cluster, telemetry } = this.house;
    const text = bytes.toString("latin1");
    if (isKeepalive(text)) {
      cluster.claimFlow(flow);
      if (text.length >= 4) void cluster.deliver(whereItCameFrom(flow, this.house.node), crlf);
      return;
    }
    const message = parseMessage(text);
    switch (message.kind) {
      case "malformed":
        return this.malformed(message, flow);
      case "response":
        cluster.claimFlow(flow);
        return this.upstream(message, bytes, flow);
      case "request":
        telemetry.request(message.method);
        return this.requests.heard(message, bytes, flow, cluster.claimFlow(flow));
    }
  }

  /**
   * A datagram to the second socket, which makes nobody the owner of a flow: the answer of a phone that was reached directly (rule 7).
   * No phone asks there; to whom else does, an answer would find no way and wait for one.
   */
  directDatagram(bytes: Buffer, flow: Flow): void {
    const message = parseMessage(bytes.toString("latin1"));
    if (message.kind === "response") this.upstream(message, bytes, flow);
  }

  /** A response that a peer got for a transaction of this node. */
  relayedResponse(bytes: Buffer): void {
    const message = parseMessage(bytes.toString("latin1"));
    if (message.kind === "response") this.receiveResponse(message);
  }

  /** A request that a peer got; true when it belongs to a transaction of this node, which has dealt with it then. */
  offered(bytes: Buffer, flow: Flow): boolean {
    const request = requestIn(bytes);
    return request !== undefined && this.requests.offered(request, bytes, flow);
  }

  /** A request that a draining peer got; true when this node has it now. */
  handed(bytes: Buffer, flow: Flow, peer: string): boolean {
    const request = requestIn(bytes);
    return request !== undefined && this.requests.handed(request, bytes, flow, peer);
  }

  private malformed(message: Malformed, flow: Flow): void {
    this.house.telemetry.malformed();
    const { method, via, problem } = message;
    if (method === undefined || method === "ACK" || via === undefined) return; // nothing is remembered of it
    this.house.cluster.claimFlow(flow);
    this.answers.replyStatelessly(
      { text: message.text, fields: message.fields, via },
      flow,
      method,
      problem.status,
      problem.reason,
    );
  }

  // ── Responses ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private upstream(response: Response, bytes: Buffer, flow: Flow): void {
    if (this.receiveResponse(response)) return;
    const branch = readBranch(response.via.branch);
    if (branch === undefined || branch.node === this.house.node) return;
    if (this.house.cluster.relayResponse(branch.node, bytes, flow)) return;
    this.answers.relayOrphan(response, flow);
  }

  /**
   * False: no transaction of this node waits for it, and another node's may. A response without a Via below ours was meant for us alone
   * (§16.7 step 3), as is the one to a CANCEL of ours; any other is dropped.
   */
  private receiveResponse(response: Response): boolean {
    if (response.cseq.method !== "CANCEL" && parseSecondVia(response) === undefined) {
      this.house.telemetry.malformed();
      return true;
    }
    return this.transactions.receiveResponse(response, this.house.clock());
  }

  // ── Transaction user ─────────────────────────────────────────────────────────────────────────────────────────────────────

  send(bytes: Uint8Array, flow: Flow, message: "request" | "response", transaction: Server | Client): void {
    const leg = message === "request" ? (transaction as Client).context : undefined;
    const pending = this.house.cluster.deliver(leg?.target ?? whereItCameFrom(flow, this.house.node), bytes);
    void pending?.then((isSent) => {
      if (!isSent) this.transactions.transportFailed(transaction, this.house.clock());
    });
  }

  response(client: Client, response: Response, now: Ms): void {
    const leg = client.context;
    if (leg === undefined) return; // the answer to our CANCEL
    this.branches.heard(leg, response, now);
    this.advance(leg.server, { kind: "response", branch: leg.at, response });
  }

  clientFailed(client: Client, cause: "timeout" | "transport"): void {
    const leg = client.context;
    if (leg === undefined) return;
    this.branches.ended(leg);
    this.advance(leg.server, { kind: "failure", branch: leg.at, status: cause === "timeout" ? 408 : 480 });
  }

  ended(transaction: Server | Client): void {
    if (transaction.kind === "server") transaction.context?.release?.();
  }

  // ── Effects ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private advance(server: Server, event: Event): void {
    const call = server.context;
    if (call?.context === undefined) return;
    const next = step(call.context, event);
    call.context = next.context;
    for (const effect of next.effects) this.act(server, call, effect);
    this.branches.watchSilence(server, call, this.house.clock());
  }

  private act(server: Server, call: Call, effect: Effect): void {
    switch (effect.kind) {
      case "relay":
        return this.answers.relay(server, call, effect.response, effect.also);
      case "reply":
        return this.answers.reply(server, call, plain(effect.status));
      case "cancel": {
        const leg = call.legs[effect.branch];
        return leg === undefined ? undefined : this.branches.cancel(leg, effect.lines, this.house.clock());
      }
      case "give-up":
        return this.answers.drop(server, call);
    }
  }
}

const crlf = Buffer.from("\r\n");

/** CRLFs alone keep an address translator's entry alive; two of them ask for one back (RFC 5626 §4.4.1). */
const isKeepalive = (text: string): boolean => text.length <= 8 && /^[\r\n\0]*$/.test(text);

function requestIn(bytes: Buffer): Request | undefined {
  const message = parseMessage(bytes.toString("latin1"));
  return message.kind === "request" ? message : undefined;
}
