/**
 * Ownership of flows (design-sip, "Words" and rules 4 and 5). The owner of a flow is the node that received from it last. A node announces
 * to all peers each flow that is new to it, and each peer answers when it received from that flow itself. So the former owner gives it up,
 * and a request that both nodes receive is not served twice.
 *
 *   a phone moves from A to B:   B receives ── "announceFlows" ──► A gives the flow up and answers "4 s ago"
 *                                                              ──► for 28 s more, B asks A about requests on this flow
 *   both receive it at once:     the announcements cross; the node with the lower id keeps the flow
 *
 * The answer also says for how long the flow stays authenticated, so that the new owner does not count it as unauthenticated.
 */
import { type Flow, isReliable } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { FlowDirectory, KnownFlow } from "./flow-directory.ts";
import { never, packFlows } from "./frame.ts";
import type { Membership } from "./membership.ts";
import type { PeerAnswer, PeerRequests } from "./peer-requests.ts";

export interface Clock {
  now(): Ms;
  /** Runs `act` when this turn of the event loop has read all waiting datagrams. */
  defer(act: () => void): void;
}

/** A transaction is retransmitted at most this long (64 T1). So long a former owner may hold transactions of a flow (rule 4). */
export const transactionLifetime: Ms = 32_000;
/** A flow that was silent for longer is announced again. */
const announcedAgainAfter: Ms = 320_000;
/** A frame may arrive this much later than the datagram that it reports. */
const maxFrameDelay: Ms = 1_000;
/** Keys of this many flows fit into one frame. */
const maxFlowsInFrame = 500;

export interface FlowOwnersDependencies {
  readonly flows: FlowDirectory;
  readonly membership: Membership;
  readonly peerRequests: PeerRequests;
  readonly clock: Clock;
  /** Whether an address is neither a pod's nor a node's. */
  isOutside(flow: Flow): boolean;
}

interface Announcement {
  readonly known: KnownFlow;
  readonly settle: () => void;
}

export class FlowOwners {
  private readonly self: { readonly id: string; readonly isPortShared: boolean };
  private readonly deps: FlowOwnersDependencies;
  private peersChangedAt: Ms;
  /** When the last datagram of a phone from outside arrived. */
  private outsideReceivedAt: Ms | undefined;
  /** To be sent at the end of this turn of the event loop. */
  private announcements: Announcement[] = [];

  constructor(self: { readonly id: string; readonly isPortShared: boolean }, deps: FlowOwnersDependencies) {
    this.self = self;
    this.deps = deps;
    this.peersChangedAt = deps.clock.now();
  }

  // ── This node receives ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram arrived on this flow. This node owns it from now on. */
  claim(flow: Flow, now: Ms): KnownFlow {
    const before = this.deps.flows.get(flow.key);
    const isOwned = before?.owner === this.self.id && now - before.lastReceivedAt < announcedAgainAfter;
    const known = this.deps.flows.record(flow, this.self.id, now);
    if (!isOwned) {
      known.isOutside = this.deps.isOutside(flow);
      if (isReliable[flow.transport] || this.mayHaveMoved(now)) this.announce(known, now);
    }
    if (known.isOutside) this.outsideReceivedAt = now;
    return known;
  }

  /** Phones registered from other flows. These flows have no owner until a datagram arrives on them. */
  releaseAll(flows: readonly Flow[], now: Ms): void {
    if (flows.length === 0) return;
    for (const flow of flows) this.deps.flows.release(flow, now);
    for (const peer of this.deps.membership.alive(now))
      void this.deps.peerRequests.request(peer, "releaseFlows", packFlows(flows), now);
  }

  /** The connection of this flow is closed. Peers that may want to send on it are told. */
  close(flow: Flow, now: Ms): void {
    const known = this.deps.flows.get(flow.key);
    if (known?.owner !== this.self.id) return;
    if (known.authenticatedUntil > now) this.releaseAll([flow], now);
    else this.deps.flows.release(flow, now);
  }

  isReachable(flow: Flow, now: Ms): boolean {
    const owner = this.deps.flows.get(flow.key)?.owner;
    if (owner === undefined) return this.self.isPortShared && !isReliable[flow.transport];
    return owner === this.self.id || this.deps.membership.isAlive(owner, now);
  }

  /** Milliseconds since the last datagram of a phone from outside; undefined: none arrived yet. */
  outsideReceivedAgo(now: Ms): Ms | undefined {
    return this.outsideReceivedAt === undefined ? undefined : now - this.outsideReceivedAt;
  }

  /** The result of `isOutside` may have changed for every flow. */
  refreshOutside(): void {
    for (const known of this.deps.flows.all()) known.isOutside = this.deps.isOutside(known.flow);
  }

  recordPeerChange(now: Ms): void {
    this.peersChangedAt = now;
  }

  // ── A peer receives ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Yields a flow to the peer that received from it. Returns how long ago this node received from it or served a request on it. */
  yieldTo(peer: string, flow: Flow, now: Ms): Ms {
    const known = this.deps.flows.get(flow.key);
    const servedAgo = known?.handedOverAt === undefined ? never : now - known.handedOverAt;
    const age = Math.min(this.ageOf(flow, now), Math.max(0, Math.floor(servedAgo)));
    const isCrossing = known?.announcement !== undefined;
    if (!isCrossing || peer < this.self.id) this.deps.flows.record(flow, peer, now);
    return age;
  }

  /** A draining peer handed over a request on this flow. If this node received from it in the last second, this node stays the owner. */
  recordHandedOver(peer: string, flow: Flow, now: Ms): void {
    const before = this.deps.flows.get(flow.key);
    const isPeersFlow = before?.owner !== this.self.id || now - before.lastReceivedAt > maxFrameDelay;
    const known = isPeersFlow ? this.deps.flows.record(flow, peer, now) : before;
    known.handedOverAt = now;
  }

  /** Milliseconds since this node received from the flow; `never` when it is not the owner. */
  ageOf(flow: Flow, now: Ms): Ms {
    const known = this.deps.flows.get(flow.key);
    return known?.owner === this.self.id ? Math.max(0, Math.floor(now - known.lastReceivedAt)) : never;
  }

  /** For how long the flow stays authenticated; 0: it is not. */
  authenticatedFor(flow: Flow, now: Ms): Ms {
    return Math.max(0, Math.floor((this.deps.flows.get(flow.key)?.authenticatedUntil ?? 0) - now));
  }

  // ── Announcements ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** With a shared port, the kernel moves flows only when a node joins or leaves. A load balancer can move them at any time. */
  private mayHaveMoved(now: Ms): boolean {
    return !this.self.isPortShared || now - this.peersChangedAt < transactionLifetime;
  }

  private announce(known: KnownFlow, now: Ms): void {
    if (known.announcement !== undefined || this.deps.membership.alive(now).length === 0) return;
    known.announcement = new Promise((settle) => {
      this.announcements.push({ known, settle });
    });
    if (this.announcements.length === 1) this.deps.clock.defer(() => this.sendAnnouncements());
  }

  /** All flows of one turn of the event loop are sent together. */
  private sendAnnouncements(): void {
    const { announcements } = this;
    this.announcements = [];
    for (let i = 0; i < announcements.length; i += maxFlowsInFrame)
      void this.sendFrame(announcements.slice(i, i + maxFlowsInFrame));
  }

  private async sendFrame(announcements: readonly Announcement[]): Promise<void> {
    const now = this.deps.clock.now();
    const body = packFlows(announcements.map(({ known }) => known.flow));
    const peers = this.deps.membership.alive(now);
    const answers = await this.deps.peerRequests.requestAll(peers, "announceFlows", body, now);
    announcements.forEach(({ known, settle }, i) => {
      const age = leastOf(answers, i);
      if (age < transactionLifetime) known.askPeersUntil = now + transactionLifetime - age;
      const authenticatedFor = greatestOf(answers, announcements.length + i);
      this.deps.flows.markAuthenticated(known.flow.key, now + authenticatedFor, now);
      known.announcement = undefined;
      settle();
    });
  }
}

/** The least of the peers' numbers at this place of their answers; `never` when no peer answered. */
const leastOf = (answers: readonly PeerAnswer[], place: number): number =>
  answers.reduce((least, answer) => Math.min(least, answer?.[place] ?? never), never);

const greatestOf = (answers: readonly PeerAnswer[], place: number): number =>
  answers.reduce((greatest, answer) => Math.max(greatest, answer?.[place] ?? 0), 0);
