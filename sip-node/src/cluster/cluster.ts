/**
 * How a message finds the node that can act on it (design-sip rules 3 to 7, 9 and 21). What peers send comes in here; the parts decide.
 *
 *   a phone's message  ──► hear      this node owns the flow now; its first datagram is announced to all peers, and each answers when
 *                                    it heard that flow, so that old owners stop and requests in transit are not taken for new ones
 *   bytes to a phone   ──► deliver   by our own socket · through the owner · through whoever heard it · directly · parked
 *   a response         ──► passOn    to the node that its branch names
 *   CANCEL, ACK ...    ──► offer     to all live peers; the holder of the transaction takes it
 *   a new request      ──► hand      while this node drains: to a peer that stays
 */
import type { Flow } from "../wire/flow.ts";
import type { Seal } from "../wire/seal.ts";
import type { Ms } from "../wire/units.ts";
import { AnswersGiven } from "./answers-given.ts";
import { Correspondence } from "./correspondence.ts";
import { Delivery, type Destination, type PhoneSockets } from "./delivery.ts";
import { FlowDirectory, type HeardFlow } from "./flow-directory.ts";
import { type Clock, FlowOwners, never } from "./flow-owners.ts";
import {
  decodeFrame,
  type Frame,
  packMessage,
  packWords,
  taken,
  unpackFlows,
  unpackMessage,
  unpackWords,
} from "./frame.ts";
import { Guests } from "./guests.ts";
import { HandOver } from "./hand-over.ts";
import { type Address, Membership, type Peer } from "./membership.ts";
import type { Figures, NodeDirectory } from "./node-directory.ts";
import { Presence } from "./presence.ts";
import { Receipts } from "./receipts.ts";

/** What the floor plan and the sockets do for the cluster. */
export interface ClusterUser extends PhoneSockets {
  post(bytes: Uint8Array, to: Address): void;
  /** A response for a transaction of this node came through a peer. */
  relayedResponse(bytes: Buffer, flow: Flow): void;
  /** A peer offers a request; true takes it. */
  offered(bytes: Buffer, flow: Flow): boolean;
  /** A peer that drains hands a request over; true takes it. */
  handed(bytes: Buffer, flow: Flow, peer: string): boolean;
  /** Whether a phone's address is neither a pod's nor a node's. */
  isOutside(flow: Flow): boolean;
  figures(): Figures;
  peerChanged(peer: Peer, isAlive: boolean): void;
  directoryFailed(error: unknown): void;
}

export interface ClusterSettings {
  readonly id: string;
  readonly address: Address;
  /** All nodes share one socket address (SO_REUSEPORT): each can send to every phone. */
  readonly isPortShared: boolean;
  /** Flows that it remembers. */
  readonly maxFlows: number;
  readonly seal: Seal;
}

export class Cluster {
  readonly membership = new Membership();
  readonly flows: FlowDirectory;
  readonly presence: Presence;
  readonly handOver: HandOver;
  private readonly guests = new Guests();
  private readonly given = new AnswersGiven();
  private readonly counts = { sent: 0, received: 0, refused: 0, taken: 0 };
  private readonly letters: Correspondence;
  private readonly owners: FlowOwners;
  private readonly delivery: Delivery;
  private readonly receipts: Receipts;
  private readonly settings: ClusterSettings;
  private readonly user: ClusterUser;
  private readonly clock: Clock;

  constructor(settings: ClusterSettings, user: ClusterUser, clock: Clock, directory: NodeDirectory) {
    this.settings = settings;
    this.user = user;
    this.clock = clock;
    this.flows = new FlowDirectory(settings.maxFlows);
    const now = () => clock.now();
    const { flows, membership } = this;
    this.letters = new Correspondence(settings.id, settings.seal, (bytes, to) => user.post(bytes, to));
    this.owners = new FlowOwners(settings, flows, membership, this.letters, clock, (flow) =>
      user.isOutside(flow),
    );
    this.delivery = new Delivery(settings, user, flows, membership, this.letters, now);
    this.handOver = new HandOver(membership, this.letters, now);
    this.receipts = new Receipts(this.letters);
    this.presence = new Presence(settings, membership, this.letters, directory, clock, {
      about: () => ({ figures: user.figures(), outsideHeardAgo: this.owners.outsideHeardAgo(now()) }),
      peerChanged: (peer, isAlive) => {
        this.owners.peersChanged(now());
        user.peerChanged(peer, isAlive);
      },
      directoryFailed: (error) => user.directoryFailed(error),
      told: (peer, held, askedAt) => this.handOver.told(peer, held, askedAt),
    });
  }

  /** Messages relayed, frames refused, and requests handed over. */
  get relays() {
    const { sent, ...others } = this.counts;
    return { sent: sent + this.delivery.relayed, ...others, given: this.handOver.given };
  }

  // ── Flows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A message or keepalive came on this flow: it is this node's now. */
  hear(flow: Flow): HeardFlow {
    const heard = this.owners.hear(flow, this.clock.now());
    this.delivery.parking.heard(flow.key);
    return heard;
  }

  /** Whether a request on this flow may repeat one that a peer holds: then it is offered before it counts as new (rule 4). */
  isContested(heard: HeardFlow): boolean {
    return heard.contestedUntil > this.clock.now();
  }

  /** Whether a live node can send to this flow, and no phone has moved away from it since. */
  isReachable(flow: Flow): boolean {
    return this.owners.isReachable(flow, this.clock.now());
  }

  /** Phones registered from other flows: these have no owner until they are heard again. */
  moved(flows: readonly Flow[]): void {
    this.owners.moved(flows, this.clock.now());
  }

  /** A phone that is known sends from this flow: strangers do not displace it for so long. */
  markAuthenticated(flow: Flow, span: Ms): void {
    const now = this.clock.now();
    this.flows.markAuthenticated(flow.key, now + span, now);
  }

  /** `isOutside` has another opinion than before. */
  rangesChanged(): void {
    this.owners.rangesChanged();
  }

  // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends at once where this node can; the promise says whether the phone's owner, or anybody, could. */
  deliver(to: Destination, bytes: Uint8Array): undefined | Promise<boolean> {
    return this.delivery.deliver(to, bytes);
  }

  /** A response for the node that its branch names; false when that node is not alive. */
  passOn(node: string, bytes: Uint8Array, flow: Flow): boolean {
    const now = this.clock.now();
    const peer = this.membership.get(node);
    if (peer === undefined || !this.membership.isAlive(node, now)) return false;
    this.counts.sent += 1;
    void this.letters.ask(peer, "response", packMessage(flow, bytes), now);
    return true;
  }

  /** Offers a request to all live peers; true when one of them took it. */
  offer(bytes: Uint8Array, flow: Flow): Promise<boolean> {
    const now = this.clock.now();
    const peers = this.membership.alive(now);
    if (peers.length === 0) return Promise.resolve(false);
    this.counts.sent += peers.length;
    const asked = this.letters.askAll(peers, "offer", packMessage(flow, bytes), now);
    return asked.then((answers) => answers.some((words) => words?.[0] === taken));
  }

  // ── Drain (rule 21) ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A transaction that a peer handed over begins here; the answer ends it. */
  admit(peer: string): () => void {
    return this.guests.admit(peer);
  }

  /** Whether nobody needs this node's flows any more: no peer holds a transaction for it, and no message waits for a phone. */
  get isIdle(): boolean {
    return this.handOver.isDone && this.delivery.parking.size === 0;
  }

  // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(bytes: Buffer, from: Address): void {
    if (this.presence.hasLeft) return;
    const frame = decodeFrame(bytes, this.settings.seal);
    if (frame === undefined || frame.from === this.settings.id) {
      this.counts.refused += 1;
      return;
    }
    const now = this.clock.now();
    this.presence.heard(frame.from, from, now);
    const words = this.act(frame, now);
    if (words !== undefined) this.letters.tell(from, "answer", packWords(words), frame.number);
  }

  private act(frame: Frame, now: Ms): readonly number[] | undefined {
    const { kind } = frame;
    switch (kind) {
      case "ping":
        return [this.presence.pinged(frame.from, unpackWords(frame.body)[0]), this.guests.of(frame.from)];
      case "answer":
        this.letters.answered(frame.from, frame.number, unpackWords(frame.body));
        return undefined;
      case "heard":
        return this.heardElsewhere(unpackFlows(frame.body), frame.from, now);
      case "moved":
        for (const flow of unpackFlows(frame.body)) if (flow !== undefined) this.owners.left(flow, now);
        return [];
      case "receipt":
        for (const number of unpackWords(frame.body)) this.letters.answered(frame.from, number, [taken]);
        return undefined;
      case "whoHeard":
        return unpackFlows(frame.body).map((flow) =>
          flow === undefined ? never : this.owners.ageOf(flow, now),
        );
      case "response":
        this.takeResponse(frame);
        return undefined;
      case "send":
      case "offer":
      case "hand":
        return this.given.once(frame.from, frame.number, now, () => [
          this.take(kind, frame, now) ? taken : 0,
        ]);
    }
  }

  private heardElsewhere(flows: readonly (Flow | undefined)[], peer: string, now: Ms): readonly number[] {
    const ages = flows.map((flow) => (flow === undefined ? never : this.owners.hand(flow, peer, now)));
    for (const flow of flows) if (flow !== undefined) this.delivery.parking.heard(flow.key);
    const marks = flows.map((flow) => (flow === undefined ? 0 : this.owners.authenticatedFor(flow, now)));
    return [...ages, ...marks];
  }

  private takeResponse(frame: Frame): void {
    this.counts.received += 1;
    const peer = this.membership.get(frame.from);
    const message = unpackMessage(frame.body);
    if (peer === undefined || message === undefined) return;
    this.receipts.owe(peer, frame.number);
    this.user.relayedResponse(message.bytes, message.flow);
  }

  private take(kind: "send" | "offer" | "hand", { from, body }: Frame, now: Ms): boolean {
    this.counts.received += 1;
    const message = unpackMessage(body);
    if (message === undefined) return false;
    const { flow, bytes } = message;
    switch (kind) {
      case "send":
        return this.delivery.deliverFor(flow, bytes);
      case "offer":
        return this.user.offered(bytes, flow);
      case "hand":
        this.owners.heardThrough(from, flow, now);
        if (!this.user.handed(bytes, flow, from)) return false;
        this.counts.taken += 1;
        return true;
    }
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Called every few milliseconds: silence, pings, beats. */
  tick(): void {
    const now = this.clock.now();
    this.letters.sweep(now);
    this.receipts.advance(now);
    if (this.presence.advance(now)) this.delivery.parking.sweep(now);
  }
}
