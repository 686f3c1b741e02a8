/**
 * Serves the requests that arrive: retransmissions are absorbed, a draining node hands new requests over to a peer, and all others get a
 * transaction and are handled by their method.
 *
 *   arrival ─┬─ new to a draining node ─► cluster.handOver, which may return it
 *            └─ transaction ─┬─ known ─► absorbed
 *                            ├─ ACK to a 2xx ─► acks
 *                            └─ new ─► does a peer hold it? ─► methods
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import { exchangeKey } from "../transaction/server-key.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Ms } from "../wire/units.ts";
import type { Acks } from "./acks.ts";
import type { Answers } from "./answers.ts";
import type { Arrival } from "./arrival.ts";
import { askPeers } from "./ask-peers.ts";
import type { Methods } from "./methods.ts";
import type { ClientUser } from "./branch.ts";
import type { ServerContext } from "./server-context.ts";

export interface RequestsDependencies {
  readonly cluster: Pick<Cluster, "mustAskPeers" | "offer" | "beginHandedOver"> & {
    readonly heartbeat: Pick<Cluster["heartbeat"], "isDraining">;
    readonly handOver: Pick<Cluster["handOver"], "start" | "follow" | "isPending">;
  };
  readonly telemetry: Pick<Telemetry, "newRequest">;
  clock(): Ms;
}

export class Requests {
  private readonly deps: RequestsDependencies;
  private readonly transactions: Transactions<ServerContext, ClientUser>;
  private readonly answers: Answers;
  private readonly acks: Acks;
  private readonly methods: Methods;

  constructor(
    deps: RequestsDependencies,
    transactions: Transactions<ServerContext, ClientUser>,
    answers: Answers,
    acks: Acks,
    methods: Methods,
  ) {
    this.deps = deps;
    this.transactions = transactions;
    this.answers = answers;
    this.acks = acks;
    this.methods = methods;
  }

  // ── Sources of requests ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** From a phone. */
  receive(arrival: Arrival): void {
    if (this.deps.cluster.heartbeat.isDraining && !this.isKnown(arrival)) this.handOver(arrival);
    else this.serve(arrival);
  }

  /** From a peer that asks whether this node has its transaction; true: this node has it and handles the request (design-sip rule 4). */
  receiveOffered(arrival: Arrival): boolean {
    if (this.isHeld(arrival)) this.serve(arrival);
    else if (this.isBeingHandedOver(arrival)) this.handOver(arrival);
    else return false;
    return true;
  }

  /** From a draining peer that hands it over; false: this node accepts no new requests (design-sip rule 21). */
  receiveHandedOver(arrival: Arrival): boolean {
    const takesNew = !this.deps.cluster.heartbeat.isDraining && !this.transactions.isFull;
    if (!takesNew && !this.isKnown(arrival)) return false;
    this.serve(arrival);
    return true;
  }

  // ── Drain (design-sip rule 21) ───────────────────────────────────────────────────────────────────────────────────────────

  private handOver(arrival: Arrival): void {
    const { request, bytes, flow } = arrival;
    const { cluster } = this.deps;
    const key = exchangeKey(request);
    const serve = () => this.serve({ ...arrival, knownFlow: undefined });
    if (request.method === "CANCEL" || request.method === "ACK")
      void cluster.handOver.follow(key, bytes, flow).then((isFollowed) => {
        if (!isFollowed) serve();
      });
    else cluster.handOver.start({ key, bytes, flow, isHeld: askPeers(arrival, cluster), serve });
  }

  private isBeingHandedOver({ request }: Arrival): boolean {
    const { heartbeat, handOver } = this.deps.cluster;
    return heartbeat.isDraining && handOver.isPending(exchangeKey(request));
  }

  // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether the request retransmits, acknowledges or cancels a transaction of this node. */
  private isHeld({ request, flow }: Arrival): boolean {
    const { transactions } = this;
    const held =
      request.method === "CANCEL" ? transactions.findInvite(request, flow) : transactions.find(request, flow);
    return held !== undefined;
  }

  /** Like `isHeld`; also true for a retransmitted CANCEL whose INVITE is not on this node. */
  private isKnown(arrival: Arrival): boolean {
    return this.isHeld(arrival) || this.transactions.find(arrival.request, arrival.flow) !== undefined;
  }

  private serve(arrival: Arrival): void {
    const { request, bytes, flow } = arrival;
    const received = this.transactions.receiveRequest(request, flow, this.deps.clock());
    switch (received) {
      case "absorbed":
        return;
      case "full":
        return this.answers.replyStatelessly(request, flow, request.method, 503, "Service Unavailable");
      case "ack-to-2xx":
        return this.acks.forwardAck(request, flow);
      case "unmatched-ack":
        if (this.answers.isForReplyOnce(request)) return;
        void this.deps.cluster.offer(bytes, flow);
        return this.acks.forwardAck(request, flow);
      default:
        return this.begin(received, arrival);
    }
  }

  private begin(server: ServerTransaction<ServerContext>, arrival: Arrival): void {
    const context = this.answers.openContext(server);
    if (arrival.peer === undefined) this.deps.telemetry.newRequest(context.receivedAt);
    else context.release = this.deps.cluster.beginHandedOver(arrival.peer);
    context.isHeldByPeer = askPeers(arrival, this.deps.cluster);
    void this.methods.handle(context);
  }
}
