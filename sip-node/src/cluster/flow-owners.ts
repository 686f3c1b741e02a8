/**
 * Who owns a flow (design-sip, "Words" and rules 4 and 5): the node that heard it last. A flow first heard here is announced to all
 * peers, and each answers when it heard that flow itself: so the old owner stops, and a request in transit between two nodes is not
 * taken for a new one.
 *
 *   phone moves from A to B:  B hears ── "heard" ──► A gives it up, answers "4 s ago" ──► B asks A about its requests for 28 s more
 *   both hear it at once:     announcements cross; the lower node id keeps it
 *
 * The answer also says for how long the flow counts as a known phone's, so that the new owner does not take it for a stranger's.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { Correspondence } from "./correspondence.ts";
import type { FlowDirectory, HeardFlow } from "./flow-directory.ts";
import { packFlows } from "./frame.ts";
import type { Membership } from "./membership.ts";

export interface Clock {
  now(): Ms;
  /** Runs `act` once this turn of the event loop has read what there is to read. */
  defer(act: () => void): void;
}

/** How far back peers remember a flow for the question of rule 4: the longest a transaction is retransmitted (64 T1). */
const transactionSpan: Ms = 32_000;
/** A flow silent for longer is announced again. */
const ownedFor: Ms = 320_000;
/** The age of a flow that a node never heard. */
export const never = 0xffff_ffff;
/** A frame may be this late behind the datagram that it tells of. */
const recently: Ms = 1_000;
/** Keys of this many flows fit into one frame. */
const flowsInFrame = 500;

export class FlowOwners {
  private readonly self: { readonly id: string; readonly isPortShared: boolean };
  private readonly flows: FlowDirectory;
  private readonly membership: Membership;
  private readonly letters: Correspondence;
  private readonly clock: Clock;
  /** Whether an address is neither a pod's nor a node's. */
  private readonly isOutside: (flow: Flow) => boolean;
  private peersChangedAt: Ms;
  /** When a datagram of a phone from outside came last. */
  private outsideHeardAt: Ms | undefined;
  private newcomers: { readonly heard: HeardFlow; readonly settled: () => void }[] = [];

  constructor(
    self: { readonly id: string; readonly isPortShared: boolean },
    flows: FlowDirectory,
    membership: Membership,
    letters: Correspondence,
    clock: Clock,
    isOutside: (flow: Flow) => boolean,
  ) {
    this.self = self;
    this.flows = flows;
    this.membership = membership;
    this.letters = letters;
    this.clock = clock;
    this.isOutside = isOutside;
    this.peersChangedAt = clock.now();
  }

  hear(flow: Flow, now: Ms): HeardFlow {
    const before = this.flows.get(flow.key);
    const isKnown = before?.owner === this.self.id && now - before.heardAt < ownedFor;
    const heard = this.flows.note(flow, this.self.id, now);
    if (!isKnown) this.meet(heard, now);
    if (heard.isOutside) this.outsideHeardAt = now;
    return heard;
  }

  /** A peer that drains heard this flow; what this node heard itself since is newer. */
  heardThrough(peer: string, flow: Flow, now: Ms): void {
    const known = this.flows.get(flow.key);
    const isOlder = known?.owner !== this.self.id || now - known.heardAt > recently;
    const heard = isOlder ? this.flows.note(flow, peer, now) : known;
    heard.servedAt = now;
  }

  /** How long ago a phone from outside was heard; undefined: never. */
  outsideHeardAgo(now: Ms): Ms | undefined {
    return this.outsideHeardAt === undefined ? undefined : now - this.outsideHeardAt;
  }

  /** The ranges of pods and nodes have changed. */
  rangesChanged(): void {
    for (const heard of this.flows.all()) heard.isOutside = this.isOutside(heard.flow);
  }

  isReachable(flow: Flow, now: Ms): boolean {
    const owner = this.flows.get(flow.key)?.owner;
    if (owner === undefined) return this.self.isPortShared;
    return owner === this.self.id || this.membership.isAlive(owner, now);
  }

  moved(flows: readonly Flow[], now: Ms): void {
    if (flows.length === 0) return;
    for (const flow of flows) this.left(flow, now);
    for (const peer of this.membership.alive(now))
      void this.letters.ask(peer, "moved", packFlows(flows), now);
  }

  left(flow: Flow, now: Ms): void {
    this.flows.leave(flow, now);
  }

  /** For how long this node takes the flow for a known phone's. */
  authenticatedFor(flow: Flow, now: Ms): Ms {
    return Math.max(0, Math.floor((this.flows.get(flow.key)?.authenticatedUntil ?? 0) - now));
  }

  peersChanged(now: Ms): void {
    this.peersChangedAt = now;
  }

  /** Gives a flow to the peer that hears it now; returns how long ago this node heard it, or served requests on it. */
  hand(flow: Flow, to: string, now: Ms): number {
    const known = this.flows.get(flow.key);
    const served = known?.servedAt === undefined ? never : now - known.servedAt;
    const age = Math.min(this.ageOf(flow, now), Math.max(0, Math.floor(served)));
    const isCrossing = known?.introduction !== undefined;
    if (!isCrossing || to < this.self.id) this.flows.note(flow, to, now);
    return age;
  }

  ageOf(flow: Flow, now: Ms): number {
    const known = this.flows.get(flow.key);
    return known?.owner === this.self.id ? Math.max(0, Math.floor(now - known.heardAt)) : never;
  }

  /** The kernel keeps the flows of a shared port where they are until a node joins or leaves; others move as a balancer likes. */
  private mayHaveMoved(now: Ms): boolean {
    return !this.self.isPortShared || now - this.peersChangedAt < transactionSpan;
  }

  /** A flow that was not this node's, or not for long. */
  private meet(heard: HeardFlow, now: Ms): void {
    heard.isOutside = this.isOutside(heard.flow);
    if (this.mayHaveMoved(now)) this.introduce(heard, now);
  }

  private introduce(heard: HeardFlow, now: Ms): void {
    if (heard.introduction !== undefined || this.membership.alive(now).length === 0) return;
    heard.introduction = new Promise((settled) => {
      this.newcomers.push({ heard, settled });
    });
    if (this.newcomers.length === 1) this.clock.defer(() => this.announce());
  }

  /** All flows first heard in one turn of the event loop go together. */
  private announce(): void {
    const { newcomers } = this;
    this.newcomers = [];
    for (let i = 0; i < newcomers.length; i += flowsInFrame)
      this.announceSome(newcomers.slice(i, i + flowsInFrame));
  }

  private announceSome(newcomers: FlowOwners["newcomers"]): void {
    const now = this.clock.now();
    const body = packFlows(newcomers.map(({ heard }) => heard.flow));
    void this.letters.askAll(this.membership.alive(now), "heard", body, now).then((answers) => {
      newcomers.forEach(({ heard, settled }, i) => {
        const youngest = answers.reduce((least, ages) => Math.min(least, ages?.[i] ?? never), never);
        if (youngest < transactionSpan) heard.contestedUntil = now + transactionSpan - youngest;
        const known = answers.reduce((most, words) => Math.max(most, words?.[newcomers.length + i] ?? 0), 0);
        this.flows.markAuthenticated(heard.flow.key, now + known, now);
        heard.introduction = undefined;
        settled();
      });
    });
  }
}
