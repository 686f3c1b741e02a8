/**
 * How a message finds the node that can act on it (design-sip rules 3 to 7 and 9).
 *
 *   a phone's datagram ──► hear      this node owns the flow now; its first datagram is announced to all peers, and each answers when
 *                                    it heard that flow, so that old owners stop and requests in transit are not taken for new ones
 *   bytes to a phone   ──► deliver   by our own socket · through the owner · through whoever heard it · directly · parked
 *   a response         ──► passOn    to the node that its branch names
 *   CANCEL, ACK ...    ──► offer     to all live peers; the holder of the transaction takes it
 */
import type { Flow } from "../wire/flow.ts";
import { maxFlows } from "../wire/limits.ts";
import type { Seal } from "../wire/seal.ts";
import type { Ms } from "../wire/units.ts";
import { Correspondence } from "./correspondence.ts";
import { FlowDirectory, type HeardFlow } from "./flow-directory.ts";
import { type Clock, FlowOwners, never } from "./flow-owners.ts";
import {
  decodeFrame,
  type Frame,
  packFlows,
  packMessage,
  packWords,
  unpackFlows,
  unpackMessage,
  unpackWords,
} from "./frame.ts";
import { type Address, Membership, type Peer, pingInterval } from "./membership.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { Parking } from "./parking.ts";

/** What the floor plan and the sockets do for the cluster. */
export interface ClusterUser {
  /** From the socket that phones know. */
  sendToPhone(bytes: Uint8Array, flow: Flow): void;
  /** From the second socket, which no address translator knows (rule 7). */
  sendDirectly(bytes: Uint8Array, flow: Flow): void;
  post(bytes: Uint8Array, to: Address): void;
  /** A response for a transaction of this node came through a peer. */
  relayedResponse(bytes: Buffer, flow: Flow): void;
  /** A peer offers a request; true takes it. */
  offered(bytes: Buffer, flow: Flow): boolean;
  peerChanged(peer: Peer, isAlive: boolean): void;
  directoryFailed(error: unknown): void;
}

export interface ClusterSettings {
  readonly id: string;
  readonly address: Address;
  /** All nodes share one socket address (SO_REUSEPORT): each can send to every phone. */
  readonly isPortShared: boolean;
  readonly seal: Seal;
}

/** A phone to be reached: its flow, and what a row or a token says of it. */
export interface Destination {
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** Node id, a hint; "" for none. */
  readonly ownerNode: string;
}

const taken = 1;
/** Responses are relayed without waiting; their receipts leave together, within the 100 ms of rule 9. */
const receiptInterval: Ms = 50;

export class Cluster {
  readonly membership = new Membership();
  readonly flows = new FlowDirectory(maxFlows);
  readonly relays = { sent: 0, received: 0, refused: 0 };
  private readonly parking = new Parking(10_000);
  private readonly letters: Correspondence;
  private readonly owners: FlowOwners;
  private readonly settings: ClusterSettings;
  private readonly user: ClusterUser;
  private readonly clock: Clock;
  private readonly directory: NodeDirectory;
  private lastPing: Ms = 0;
  private lastBeat: Ms = 0;
  private lastReceipts: Ms = 0;
  /** Numbers of the responses taken from each peer since the last receipt. */
  private readonly receipts = new Map<Peer, number[]>();

  constructor(settings: ClusterSettings, user: ClusterUser, clock: Clock, directory: NodeDirectory) {
    this.settings = settings;
    this.user = user;
    this.clock = clock;
    this.directory = directory;
    this.letters = new Correspondence(settings.id, settings.seal, (bytes, to) => user.post(bytes, to));
    this.owners = new FlowOwners(settings, this.flows, this.membership, this.letters, clock);
  }

  // ── Flows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram came on this flow: it is this node's now. */
  hear(flow: Flow): HeardFlow {
    const heard = this.owners.hear(flow, this.clock.now());
    this.parking.heard(flow.key);
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

  // ── Bytes to a phone ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends at once where this node can; the promise says whether the phone's owner, or anybody, could. */
  deliver(to: Destination, bytes: Uint8Array): undefined | Promise<boolean> {
    if (this.settings.isPortShared || this.flows.get(to.flow.key)?.owner === this.settings.id) {
      this.user.sendToPhone(bytes, to.flow);
      return undefined;
    }
    return this.deliverElsewhere(to, bytes);
  }

  private async deliverElsewhere(to: Destination, bytes: Uint8Array): Promise<boolean> {
    const body = packMessage(to.flow, bytes);
    for (const id of new Set([this.flows.get(to.flow.key)?.owner, to.ownerNode]))
      if (id !== undefined && (await this.sendThrough(id, body))) return true;
    const owner = await this.whoHeard(to.flow);
    if (owner !== undefined && (await this.sendThrough(owner, body))) return true;
    if (!to.isBehindNat) {
      this.user.sendDirectly(bytes, to.flow);
      return true;
    }
    if (!(await this.parking.wait(to.flow.key, bytes, this.clock.now()))) return false;
    return (await this.deliver(to, bytes)) ?? true;
  }

  private async sendThrough(id: string, body: Buffer): Promise<boolean> {
    const now = this.clock.now();
    const peer = this.membership.get(id);
    if (peer === undefined || !this.membership.isAlive(id, now)) return false;
    this.relays.sent += 1;
    const answer = await this.letters.ask(peer, "send", body, now);
    return answer?.[0] === taken;
  }

  /** The live peer that heard the flow last, by its own word. */
  private async whoHeard(flow: Flow): Promise<string | undefined> {
    const now = this.clock.now();
    const peers = this.membership.alive(now);
    const answers = await this.letters.askAll(peers, "whoHeard", packFlows([flow]), now);
    const ages = answers.map((words) => words?.[0] ?? never);
    const youngest = Math.min(...ages);
    return youngest === never ? undefined : peers[ages.indexOf(youngest)]?.id;
  }

  // ── Messages of another node's transactions ──────────────────────────────────────────────────────────────────────────────

  /** A response for the node that its branch names; false when that node is not alive. */
  passOn(node: string, bytes: Uint8Array, flow: Flow): boolean {
    const now = this.clock.now();
    const peer = this.membership.get(node);
    if (peer === undefined || !this.membership.isAlive(node, now)) return false;
    this.relays.sent += 1;
    void this.letters.ask(peer, "response", packMessage(flow, bytes), now);
    return true;
  }

  /** Offers a request to all live peers; true when one of them took it. */
  async offer(bytes: Uint8Array, flow: Flow): Promise<boolean> {
    const now = this.clock.now();
    const peers = this.membership.alive(now);
    if (peers.length === 0) return false;
    this.relays.sent += peers.length;
    const answers = await this.letters.askAll(peers, "offer", packMessage(flow, bytes), now);
    return answers.some((words) => words?.[0] === taken);
  }

  // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(bytes: Buffer, from: Address): void {
    const frame = decodeFrame(bytes, this.settings.seal);
    if (frame === undefined || frame.from === this.settings.id) {
      this.relays.refused += 1;
      return;
    }
    const now = this.clock.now();
    if (this.membership.heard(frame.from, from, now)) {
      const peer = this.membership.get(frame.from);
      if (peer !== undefined) this.peerChanged(peer, true, now);
    }
    const words = this.act(frame, now);
    if (words !== undefined) this.letters.tell(from, "answer", packWords(words), frame.number);
  }

  private peerChanged(peer: Peer, isAlive: boolean, now: Ms): void {
    this.owners.peersChanged(now);
    this.user.peerChanged(peer, isAlive);
  }

  private act(frame: Frame, now: Ms): readonly number[] | undefined {
    switch (frame.kind) {
      case "ping":
        return [];
      case "answer":
        this.letters.answered(frame.from, frame.number, unpackWords(frame.body));
        return undefined;
      case "heard":
        return unpackFlows(frame.body).map((flow) => this.heardElsewhere(flow, frame.from, now));
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
      case "offer": {
        this.relays.received += 1;
        const message = unpackMessage(frame.body);
        return [message !== undefined && this.take(frame.kind, message.flow, message.bytes) ? taken : 0];
      }
    }
  }

  private heardElsewhere(flow: Flow | undefined, peer: string, now: Ms): number {
    if (flow === undefined) return never;
    const age = this.owners.hand(flow, peer, now);
    this.parking.heard(flow.key);
    return age;
  }

  private takeResponse(frame: Frame): void {
    this.relays.received += 1;
    const peer = this.membership.get(frame.from);
    const message = unpackMessage(frame.body);
    if (peer === undefined || message === undefined) return;
    const owed = this.receipts.get(peer);
    if (owed === undefined) this.receipts.set(peer, [frame.number]);
    else owed.push(frame.number);
    this.user.relayedResponse(message.bytes, message.flow);
  }

  private take(kind: "send" | "offer", flow: Flow, bytes: Buffer): boolean {
    if (kind === "offer") return this.user.offered(bytes, flow);
    if (this.flows.get(flow.key)?.owner !== this.settings.id) return false;
    this.user.sendToPhone(bytes, flow);
    return true;
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Called every few milliseconds: silence, pings, beats. `load` is this node's open transactions. */
  tick(load: number): void {
    const now = this.clock.now();
    this.letters.sweep(now);
    if (now - this.lastReceipts >= receiptInterval) this.sendReceipts(now);
    if (now - this.lastPing < pingInterval) return;
    this.parking.sweep(now);
    for (const peer of this.membership.sweep(this.lastPing, now)) this.peerChanged(peer, false, now);
    this.lastPing = now;
    void this.greet();
    if (now - this.lastBeat < 2 * pingInterval) return;
    this.lastBeat = now;
    void this.beat(load).catch((error: unknown) => this.user.directoryFailed(error));
  }

  private sendReceipts(now: Ms): void {
    this.lastReceipts = now;
    for (const [peer, numbers] of this.receipts)
      this.letters.tell(peer.address, "receipt", packWords(numbers));
    this.receipts.clear();
  }

  /** Pings every peer; resolves when each has answered or been silent for too long. */
  async greet(): Promise<void> {
    await this.letters.askAll(this.membership.all(), "ping", Buffer.alloc(0), this.clock.now());
  }

  /** Meets the other nodes; resolves when their table was read. */
  async beat(load: number): Promise<void> {
    const { id, address } = this.settings;
    const others = await this.directory.beat({ id, address, load });
    const now = this.clock.now();
    for (const other of others) if (other.id !== id) this.membership.introduce(other.id, other.address, now);
  }

  leave(): Promise<void> {
    return this.directory.leave(this.settings.id);
  }
}
