/**
 * The way of a message to the node that can act on it (design-sip rules 3 to 7, 9 and 21).
 *
 *   a datagram of a phone     ──► claimFlow        this node owns the flow now. Its first datagram is announced to all peers
 *   a message to a phone      ──► deliver          through this node's socket, the owner, the second socket, or the queue
 *   a response                ──► relayResponse    to the node that its branch names
 *   a CANCEL, an ACK, a request that a peer may hold
 *                             ──► offer            to all live peers: the one that holds the transaction accepts it
 *   a new request             ──► handOver.start   while this node drains: to a serving peer
 *   a frame of a peer         ──► receive          by its kind to its handler in `frame-handlers.ts`, whose answer is sent back
 */
import type { ChangeReceiver } from "../leases/held-leases.ts";
import { packSequence } from "../leases/lease-messages.ts";
import { LeaseProtocol } from "../leases/lease-protocol.ts";
import type { Flow } from "../wire/flow.ts";
import type { Seal } from "../wire/seal.ts";
import type { Ms } from "../wire/units.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { Delivery, type Destination, type PhoneSockets } from "./delivery.ts";
import { DuplicateDetection } from "./duplicate-detection.ts";
import { FlowDirectory, type KnownFlow } from "./flow-directory.ts";
import { type Clock, FlowOwners, transactionLifetime } from "./flow-owners.ts";
import { accepted, decodeFrame, type FrameKind, packChange, packMessage, packNumbers } from "./frame.ts";
import { createFrameHandlers, type FrameHandler, type RelayReceiver } from "./frame-handlers.ts";
import { HandOver } from "./hand-over.ts";
import { HandedOver } from "./handed-over.ts";
import { type ClusterObserver, Heartbeat } from "./heartbeat.ts";
import { type Address, Membership } from "./membership.ts";
import type { NodeDirectory, NodeLoad } from "./node-directory.ts";
import { PeerRequests } from "./peer-requests.ts";

export interface ClusterOptions {
  /** Node id. */
  readonly id: string;
  /** Where peers send their frames. */
  readonly address: Address;
  /** All nodes share one socket address (SO_REUSEPORT): each can send to every phone. */
  readonly isPortShared: boolean;
  /** How many flows are remembered. */
  readonly maxFlows: number;
}

export interface ClusterDependencies {
  readonly sockets: PhoneSockets & { sendToPeer(bytes: Uint8Array, to: Address): void };
  readonly receiver: RelayReceiver;
  readonly observer: ClusterObserver;
  readonly directory: NodeDirectory;
  /** The copy of users and bindings, which the nodes keep current (docs/adr/0044). */
  readonly copy: ChangeReceiver;
  readonly clock: Clock;
  readonly seal: Seal;
  /** Whether a phone's address is neither a pod's nor a node's. */
  isOutside(flow: Flow): boolean;
  load(): NodeLoad;
  /** How long an announced change waited for the peers. */
  announced(waited: Ms): void;
}

export class Cluster {
  readonly membership = new Membership();
  readonly flows: FlowDirectory;
  readonly heartbeat: Heartbeat;
  readonly handOver: HandOver;
  /** How this node knows that its copy is current. */
  readonly copyProtocol: LeaseProtocol;
  private readonly peerRequests: PeerRequests;
  private readonly owners: FlowOwners;
  private readonly delivery: Delivery;
  private readonly handedOver = new HandedOver();
  private readonly acknowledgements: Acknowledgements;
  private readonly handlers: Readonly<Record<FrameKind, FrameHandler>>;
  private readonly counts = { sent: 0, received: 0, refused: 0, accepted: 0 };
  private readonly options: ClusterOptions;
  private readonly deps: ClusterDependencies;

  constructor(options: ClusterOptions, deps: ClusterDependencies) {
    this.options = options;
    this.deps = deps;
    this.flows = new FlowDirectory(options.maxFlows);
    const { sockets, clock, seal } = deps;
    this.peerRequests = new PeerRequests(options.id, {
      seal,
      sendToPeer: (bytes, to) => sockets.sendToPeer(bytes, to),
    });
    const { flows, membership, peerRequests } = this;
    const now = () => clock.now();
    const isOutside = (flow: Flow) => deps.isOutside(flow);
    this.owners = new FlowOwners(options, { flows, membership, peerRequests, clock, isOutside });
    this.delivery = new Delivery(options, { sockets, flows, membership, peerRequests, now });
    this.handOver = new HandOver({ membership, peerRequests, now });
    this.acknowledgements = new Acknowledgements(peerRequests);
    this.copyProtocol = this.createCopyProtocol();
    this.heartbeat = this.createHeartbeat();
    this.handlers = createFrameHandlers({
      ...{ flows, membership, peerRequests, counts: this.counts, receiver: deps.receiver },
      ...{ heartbeat: this.heartbeat, owners: this.owners, delivery: this.delivery },
      ...{ handedOver: this.handedOver, acknowledgements: this.acknowledgements },
      leases: this.copyProtocol.leases,
      duplicates: new DuplicateDetection(),
    });
  }

  /** By direction: messages relayed, frames refused, and requests handed over. */
  get relays() {
    const { sent, received, refused, accepted: taken } = this.counts;
    return { sent: sent + this.delivery.relayed, received, refused, taken, given: this.handOver.accepted };
  }

  // ── Flows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A message or keepalive arrived on this flow. This node owns it from now on. */
  claimFlow(flow: Flow): KnownFlow {
    const known = this.owners.claim(flow, this.deps.clock.now());
    this.delivery.queue.wake(flow.key);
    return known;
  }

  /** Whether a peer may hold the transaction of a request on this flow. Then peers are asked before it counts as new (rule 4). */
  mustAskPeers(known: KnownFlow): boolean {
    return known.askPeersUntil > this.deps.clock.now();
  }

  /** A peer may hold the transaction of a request on this flow from now on: this node handed one over. */
  askPeersAbout(known: KnownFlow): void {
    known.askPeersUntil = this.deps.clock.now() + transactionLifetime;
  }

  /** Whether a live peer accepts new requests. */
  hasServingPeers(): boolean {
    return this.membership.serving(this.deps.clock.now()).length > 0;
  }

  /** Whether a live node owns this flow, and its phone has not registered from another one. */
  isReachable(flow: Flow): boolean {
    return this.owners.isReachable(flow, this.deps.clock.now());
  }

  /** Phones registered from other flows. These flows have no owner until a datagram arrives on them. */
  releaseFlows(flows: readonly Flow[]): void {
    this.owners.releaseAll(flows, this.deps.clock.now());
  }

  /** The connection of this flow is closed: no node can reach its phone on it. */
  closeFlow(flow: Flow): void {
    this.owners.close(flow, this.deps.clock.now());
  }

  /** An authenticated phone sends from this flow. For `duration`, unauthenticated senders do not displace it. */
  markAuthenticated(flow: Flow, duration: Ms): void {
    const now = this.deps.clock.now();
    this.flows.markAuthenticated(flow.key, now + duration, now);
  }

  /** Whether an authenticated phone sends from this flow. */
  isAuthenticated(flow: Flow): boolean {
    const known = this.flows.get(flow.key);
    return known !== undefined && known.authenticatedUntil > this.deps.clock.now();
  }

  /** The result of `isOutside` may have changed for every flow. */
  refreshOutside(): void {
    this.owners.refreshOutside();
  }

  // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Returns undefined when this node has sent the message. The promise resolves false when no node could send it. */
  deliver(to: Destination, text: string): undefined | Promise<boolean> {
    return this.delivery.deliver(to, text);
  }

  /** Sends a response to the node that its branch names. Returns false when that node is not alive. */
  relayResponse(node: string, text: string, flow: Flow): boolean {
    const now = this.deps.clock.now();
    const peer = this.membership.get(node);
    if (peer === undefined || !this.membership.isAlive(node, now)) return false;
    this.counts.sent += 1;
    void this.peerRequests.request(peer, "response", packMessage(flow, text), now);
    return true;
  }

  /** Offers a request to all live peers. Resolves true when one of them accepted it. */
  async offer(text: string, flow: Flow): Promise<boolean> {
    const now = this.deps.clock.now();
    const peers = this.membership.alive(now);
    if (peers.length === 0) return false;
    this.counts.sent += peers.length;
    const answers = await this.peerRequests.requestAll(peers, "offer", packMessage(flow, text), now);
    return answers.some((answer) => answer?.[0] === accepted);
  }

  // ── Drain (rule 21) ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A transaction that a peer handed over begins on this node. Call the returned function at its end. */
  beginHandedOver(peer: string): () => void {
    return this.handedOver.begin(peer);
  }

  /** Whether no other node needs this node's flows: no peer holds a transaction for it, and no message waits for a phone. */
  get isIdle(): boolean {
    return this.handOver.isDone && this.delivery.queue.size === 0;
  }

  // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A frame of a peer: check it, record that the peer is alive, handle it by its kind, answer. */
  receive(bytes: Buffer, from: Address): void {
    if (this.heartbeat.hasLeft) return;
    const frame = decodeFrame(bytes, this.deps.seal);
    if (frame === undefined || frame.from === this.options.id) {
      this.counts.refused += 1;
      return;
    }
    const now = this.deps.clock.now();
    this.heartbeat.recordFrame(frame.from, from, now);
    const answer = this.handlers[frame.kind](frame, now);
    if (answer !== undefined) this.peerRequests.send(from, "answer", packNumbers(answer), frame.number);
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Call it every 20 ms. */
  tick(): void {
    const now = this.deps.clock.now();
    this.peerRequests.advance(now);
    this.acknowledgements.send();
    if (this.heartbeat.advance(now)) this.delivery.queue.expire(now);
  }

  private createCopyProtocol(): LeaseProtocol {
    const { membership, peerRequests, deps } = this;
    return new LeaseProtocol({
      receiver: deps.copy,
      clock: deps.clock,
      announced: (waited) => deps.announced(waited),
      sendChange: (reader, sequence, change) => {
        const peer = membership.get(reader);
        const body = packChange(packSequence(sequence), change);
        if (peer !== undefined) peerRequests.send(peer.address, "announceChange", body);
      },
    });
  }

  private createHeartbeat(): Heartbeat {
    const { membership, peerRequests, owners, handOver } = this;
    const { deps } = this;
    const { observer, directory, clock } = deps;
    return new Heartbeat(this.options, {
      ...{ membership, peerRequests, directory, clock, leases: this.copyProtocol.leases },
      measure: () => ({ load: deps.load(), outsideReceivedAgo: owners.outsideReceivedAgo(clock.now()) }),
      recordHeld: (peer, held, sentAt) => handOver.recordHeld(peer, held, sentAt),
      observer: {
        directoryFailed: (error) => observer.directoryFailed(error),
        peerChanged: (peer, isAlive) => {
          owners.recordPeerChange(clock.now());
          observer.peerChanged(peer, isAlive);
        },
      },
    });
  }
}
