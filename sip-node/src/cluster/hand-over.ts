/**
 * The draining node's side of a drain (design-sip rule 21). It hands each new request over to a serving peer, and later messages of that
 * transaction follow.
 *
 *   new request ──► start ──► does a peer hold it already? ──► rendezvous hash of the serving peers ──► "handOver" frame
 *                                  │ yes: nothing to do             │ refused: the next peer   │ accepted: its responses come back
 *                                                                   │ no peer left: serve here │ through this node, the flow's owner
 *   its CANCEL, ACK ──► follow ──► waits for the choice, then to the same peer
 *
 * Two nodes must never serve one request, or a phone rings twice. A silent peer may have accepted the request while its answer was lost,
 * so it is asked again until it counts as dead.
 */
import type { Flow } from "../wire/flow.ts";
import { maxTransactions } from "../wire/limits.ts";
import type { Ms } from "../wire/units.ts";
import { accepted, packMessage } from "./frame.ts";
import { deadAfter, type Membership, type Peer } from "./membership.ts";
import type { PeerRequests } from "./peer-requests.ts";
import { rendezvous } from "./rendezvous.ts";

/** A request that this node received and holds no transaction for. */
export interface NewRequest {
  /** Equal for all messages of one transaction, its CANCEL and ACK among them. */
  readonly key: string;
  readonly datagram: string;
  readonly flow: Flow;
  /** Whether a peer holds its transaction already; undefined: no peer was asked. */
  readonly isHeld: Promise<boolean> | undefined;
  /** Serves it on this node. Later messages find its transaction. */
  readonly serve: () => void;
}

/** The node that serves it: a peer's id, `held`: a peer that held it before, `here`: this node. */
type Outcome = { readonly peer: string } | "held" | "here";

export interface HandOverDependencies {
  readonly membership: Membership;
  readonly peerRequests: PeerRequests;
  now(): Ms;
}

/** A frame is one datagram, and it contains more than the message. */
const maxBody = 60_000;
/** How many requests may wait for a peer's answer. */
const maxPending = 10_000;

export class HandOver {
  /** How many requests peers accepted. */
  accepted = 0;
  private readonly outcomes = new Map<string, Promise<Outcome>>();
  private readonly pending = new Map<string, number>();
  /** Peers that may hold transactions for this node, each with the time when a request was last sent to it or accepted by it. */
  private readonly holders = new Map<string, Ms>();
  private readonly deps: HandOverDependencies;
  private readonly maxOutcomes: number;

  /** `maxOutcomes`: how many outcomes are remembered. The least recently used one is forgotten first. */
  constructor(deps: HandOverDependencies, maxOutcomes: number = maxTransactions) {
    this.deps = deps;
    this.maxOutcomes = maxOutcomes;
  }

  /** Whether no request is pending and no live peer holds a transaction for this node. */
  get isDone(): boolean {
    const now = this.deps.now();
    return (
      this.pending.size === 0 && ![...this.holders.keys()].some((id) => this.deps.membership.isAlive(id, now))
    );
  }

  /** Whether the node that serves this transaction is not yet chosen. */
  isPending(key: string): boolean {
    return this.pending.has(key);
  }

  start(request: NewRequest): void {
    const { key } = request;
    if (this.pending.size >= maxPending && !this.pending.has(key)) return request.serve();
    const outcome = this.choose(request, this.outcomes.get(key)).finally(() => this.endPending(key));
    this.pending.set(key, (this.pending.get(key) ?? 0) + 1);
    this.outcomes.delete(key); // moves it to the end, as the most recently used
    this.outcomes.set(key, outcome);
    if (this.outcomes.size > this.maxOutcomes) this.forgetOldest();
  }

  /** Sends a later message of a transaction to the peer that accepted its request. Resolves false when no peer did. */
  async follow(key: string, datagram: string, flow: Flow): Promise<boolean> {
    const outcome = await this.outcomes.get(key);
    if (typeof outcome !== "object") return false;
    return (await this.offerTo(outcome.peer, packMessage(flow, datagram))) === "accepted";
  }

  /** A peer answered the ping sent at `sentAt`: it holds so many transactions for this node. */
  recordHeld(peer: string, held: number, sentAt: Ms): void {
    if (held === 0 && sentAt > (this.holders.get(peer) ?? sentAt)) this.holders.delete(peer);
  }

  /** A repeated request goes to the same peer as before, unless that peer died. */
  private async choose(request: NewRequest, previous: Promise<Outcome> | undefined): Promise<Outcome> {
    const earlier = await previous;
    const chosen = typeof earlier === "object" ? earlier.peer : undefined;
    if (chosen === undefined && (await request.isHeld) === true) return "held";
    const body = packMessage(request.flow, request.datagram);
    const excluded = new Set<string>();
    let id = chosen ?? this.nextPeer(request.key, excluded)?.id;
    while (id !== undefined && body.length <= maxBody) {
      const answer = await this.offerTo(id, body);
      if (answer === "accepted") return { peer: id };
      if (answer === "silent") break;
      excluded.add(id);
      id = this.nextPeer(request.key, excluded)?.id;
    }
    request.serve();
    return "here";
  }

  private nextPeer(key: string, excluded: ReadonlySet<string>): Peer | undefined {
    return rendezvous(
      key,
      this.deps.membership.serving(this.deps.now()).filter(({ id }) => !excluded.has(id)),
    );
  }

  /** `silent`: the peer is alive and does not answer this request. Frames of this size may not reach it. */
  private async offerTo(id: string, body: Buffer): Promise<"accepted" | "refused" | "dead" | "silent"> {
    const { membership, peerRequests } = this.deps;
    const start = this.deps.now();
    for (let now = start; now - start < deadAfter; now = this.deps.now()) {
      const peer = membership.get(id);
      if (peer === undefined || !membership.isAlive(id, now)) return "dead";
      this.holders.set(id, now);
      const answer = await peerRequests.request(peer, "handOver", body, now);
      if (answer === undefined) continue;
      if (answer[0] !== accepted) return "refused";
      this.holders.set(id, this.deps.now()); // a ping may overtake the request: the peer then answers that it holds nothing
      this.accepted += 1;
      return "accepted";
    }
    return "silent";
  }

  private endPending(key: string): void {
    const remaining = (this.pending.get(key) ?? 0) - 1;
    if (remaining > 0) this.pending.set(key, remaining);
    else this.pending.delete(key);
  }

  private forgetOldest(): void {
    const oldest = this.outcomes.keys().next();
    if (oldest.done !== true) this.outcomes.delete(oldest.value);
  }
}
