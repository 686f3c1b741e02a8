/**
 * Serves the requests that arrive: retransmissions are absorbed, a draining or overloaded node hands new requests over to a peer, and all
 * others get a transaction and are handled by their method.
 *
 *   arrival ─┬─ new to a draining node ─► cluster.handOver, which may return it
 *            ├─ new call to an overloaded node ─► cluster.handOver, or 503
 *            └─ transaction ─┬─ known ─► absorbed
 *                            ├─ ACK to a 2xx ─► acks
 *                            └─ new ─► does a peer hold it? ─► methods
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { OverloadControl } from "../overload/overload-control.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import { exchangeKey } from "../transaction/server-key.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import type { Acks } from "./acks.ts";
import type { Answers } from "./answers.ts";
import type { Arrival } from "./arrival.ts";
import { askPeers } from "./ask-peers.ts";
import type { Methods } from "./methods.ts";
import type { ClientUser } from "./branch.ts";
import type { ServerContext } from "./server-context.ts";

export interface RequestsDependencies {
  readonly cluster: Pick<
    Cluster,
    "mustAskPeers" | "offer" | "beginHandedOver" | "hasServingPeers" | "askPeersAbout"
  > & {
    readonly heartbeat: Pick<Cluster["heartbeat"], "isDraining">;
    readonly handOver: Pick<Cluster["handOver"], "start" | "follow" | "isPending">;
  };
  readonly telemetry: Pick<Telemetry, "newRequest">;
  readonly overload: OverloadControl;
  clock(): Ms;
}

/** In seconds. */
const leastRetryAfter = 2;
const retryAfterJitter = 8;

/** Requests that reach other phones. A request in a dialog belongs to a call that is served already. */
const callMethods: ReadonlySet<string> = new Set(["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH"]);

const isNewCall = ({ method, to }: Request): boolean => to.tag === undefined && callMethods.has(method);

const hashOf = (text: string): number => {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) % 65_521;
  return sum;
};

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

  /** From a phone. `isKnown`: the sender is a configured peer or an authenticated phone. */
  receive(arrival: Arrival, isKnown: boolean): void {
    if (this.deps.cluster.heartbeat.isDraining && !this.isKnown(arrival)) this.handOver(arrival);
    else if (this.hasNoRoomFor(arrival.request) && !this.isKnown(arrival)) this.shed(arrival, isKnown);
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
    const hasRoom = this.deps.overload.load.level !== "overloaded" && !this.transactions.isFull;
    const takesNew = !this.deps.cluster.heartbeat.isDraining && hasRoom;
    if (!takesNew && !this.isKnown(arrival)) return false;
    this.serve(arrival);
    return true;
  }

  // ── Drain (design-sip rule 21) ───────────────────────────────────────────────────────────────────────────────────────────

  private handOver(arrival: Arrival): void {
    const { request, datagram, flow } = arrival;
    const { cluster } = this.deps;
    const key = exchangeKey(request);
    const serve = () => this.serve({ ...arrival, knownFlow: undefined });
    if (request.method === "CANCEL" || request.method === "ACK")
      void cluster.handOver.follow(key, datagram, flow).then((isFollowed) => {
        if (!isFollowed) serve();
      });
    else cluster.handOver.start({ key, datagram, flow, isHeld: askPeers(arrival, cluster), serve });
  }

  private isBeingHandedOver({ request }: Arrival): boolean {
    const { heartbeat, handOver } = this.deps.cluster;
    return heartbeat.isDraining && handOver.isPending(exchangeKey(request));
  }

  // ── Overload (design-sip rule 24) ────────────────────────────────────────────────────────────────────────────────────────

  private hasNoRoomFor(request: Request): boolean {
    const isFull = this.deps.overload.load.level === "overloaded" || this.transactions.isFull;
    return isFull && isNewCall(request);
  }

  /** A peer with room serves it. Without one the whole exchange is overloaded: only then a 503 has Retry-After (§21.5.4). */
  private shed(arrival: Arrival, isKnown: boolean): void {
    const { cluster, overload } = this.deps;
    if (!isKnown) return overload.drop("overload");
    const { request, datagram, flow, knownFlow } = arrival;
    const serve = () => this.refuse(request, flow);
    if (!cluster.hasServingPeers()) return serve();
    if (knownFlow !== undefined) cluster.askPeersAbout(knownFlow); // about its retransmissions (rule 4)
    cluster.handOver.start({
      key: exchangeKey(request),
      datagram,
      flow,
      isHeld: askPeers(arrival, cluster),
      serve,
    });
  }

  /** Phones come back at different times. */
  private refuse(request: Request, flow: Flow): void {
    const lines = `Retry-After: ${leastRetryAfter + (hashOf(request.callId) % retryAfterJitter)}\r\n`;
    this.answers.replyStatelessly(request, flow, request.method, 503, "Service Unavailable", lines);
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
    const { request, datagram, flow } = arrival;
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
        void this.deps.cluster.offer(datagram, flow);
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
    this.methods.handle(context, arrival.request);
  }
}
