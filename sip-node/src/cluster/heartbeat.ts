/**
 * Liveness of this node and its peers (design-sip rules 9 and 21). It finds peers in `strowger_node`, pings them and detects dead ones. It
 * reports this node's own status to them. A ping also asks for a lease of the copy (docs/adr/0044), and so does its answer reply to one.
 */
import type { Leases } from "../leases/leases.ts";
import { packSequence, readSequence } from "../leases/lease-messages.ts";
import type { Ms } from "../wire/units.ts";
import type { Clock } from "./flow-owners.ts";
import { type NodeStatus, nodeStatuses, packNumbers, packStatus, readStatus } from "./frame.ts";
import { type Address, type Membership, type Peer, pingInterval } from "./membership.ts";
import { NodeCycle } from "./node-cycle.ts";
import type { DirectoryNode, NodeDirectory, NodeHeartbeat } from "./node-directory.ts";
import type { PeerRequests } from "./peer-requests.ts";

/** Notified of changes that the log shows. */
export interface ClusterObserver {
  peerChanged(peer: Peer, isAlive: boolean): void;
  /** `strowger_node` could not be written or read. */
  directoryFailed(error: unknown): void;
}

export interface HeartbeatDependencies {
  readonly membership: Membership;
  readonly peerRequests: PeerRequests;
  readonly directory: NodeDirectory;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  measure(): Pick<NodeHeartbeat, "load" | "outsideReceivedAgo">;
  /** A peer answered the ping sent at `sentAt`: it holds so many transactions for this node. */
  recordHeld(peer: string, held: number, sentAt: Ms): void;
}

export class Heartbeat {
  private readonly self: { readonly id: string; readonly address: Address };
  private readonly deps: HeartbeatDependencies;
  private status: NodeStatus = "serving";
  private readonly cycle: NodeCycle;
  private pingedAt: Ms = 0;

  constructor(self: { readonly id: string; readonly address: Address }, deps: HeartbeatDependencies) {
    this.self = self;
    this.deps = deps;
    this.cycle = this.createCycle();
  }

  get isDraining(): boolean {
    return this.status !== "serving";
  }

  get hasLeft(): boolean {
    return this.status === "left";
  }

  /** Peers hand no new request to this node from now on. They and the readers of the table are notified at once. */
  drain(): void {
    if (this.isDraining) return;
    this.status = "draining";
    void this.pingPeers();
    this.writeHeartbeat().catch((error: unknown) => this.deps.observer.directoryFailed(error));
  }

  /** Notifies the peers, which count this node as dead from now on. Their changes wait for it no more, so its copy is out of use before. */
  leave(): void {
    const { membership, peerRequests, leases, clock } = this.deps;
    leases.end();
    this.status = "left";
    for (const { address } of membership.alive(clock.now()))
      peerRequests.send(address, "ping", packStatus("left"));
  }

  /**
   * This node has announced its last change. Tells the nodes that need its leases, and sends them what they lack: they miss nothing when its
   * row is gone. Resolves within 300 ms.
   */
  async sayFarewell(): Promise<void> {
    const { membership, peerRequests, leases, clock } = this.deps;
    const final = leases.leave();
    const body = packNumbers(packSequence(final));
    const askers = new Set(leases.grants.askers);
    let peers = membership.alive(clock.now()).filter(({ id }) => askers.has(id));
    for (let round = 0; round < 3 && peers.length > 0; round++) {
      const answers = await peerRequests.requestAll(peers, "farewell", body, clock.now());
      const applied = answers.map((answer) => answer && readSequence(answer[0], answer[1]));
      peers = peers.filter(({ id }, i) => {
        const number = applied[i];
        if (number !== undefined) leases.grants.resend(id, number);
        return number === undefined || number < final;
      });
    }
  }

  /** Deletes this node's row. It waits for pending writes, which would insert the row again. */
  removeRow(): Promise<void> {
    return this.cycle.remove();
  }

  /** A frame of this peer arrived. */
  recordFrame(id: string, address: Address, now: Ms): void {
    const { membership, leases } = this.deps;
    if (membership.recordFrame(id, address, now)) this.reportChange(id, true);
    const peer = membership.get(id);
    if (peer === undefined || peer.status === "left") return;
    if (leases.held.recordFrame(id, now)) void this.pingPeer(peer);
  }

  /** A peer reported its status, in a ping or in its answer. Returns the number of this node's own status. */
  recordStatus(id: string, status: number | undefined): number {
    if (this.deps.membership.setStatus(id, readStatus(status))) {
      this.deps.leases.grants.remove(id);
      this.reportChange(id, false);
    }
    return nodeStatuses[this.status];
  }

  /** Pings the peers and writes the heartbeat, both twice a second, and detects dead peers. Returns true when it pinged. */
  advance(now: Ms): boolean {
    this.deps.leases.advance(now);
    this.cycle.advance(now);
    if (now - this.pingedAt < pingInterval) return false;
    for (const { id } of this.deps.membership.sweep(this.pingedAt, now)) this.reportChange(id, false);
    this.pingedAt = now;
    void this.pingPeers();
    return true;
  }

  /** Pings every peer. Resolves when each has answered or timed out. */
  async pingPeers(): Promise<void> {
    const peers = this.deps.membership.all().filter(({ status }) => status !== "left");
    await Promise.all(peers.map((peer) => this.pingPeer(peer)));
  }

  /** Writes this node's row, and reads those of the other nodes. */
  writeHeartbeat(): Promise<void> {
    return this.cycle.run();
  }

  private async pingPeer(peer: Peer): Promise<void> {
    const { peerRequests, leases, clock } = this.deps;
    const sentAt = clock.now();
    const body = packNumbers([nodeStatuses[this.status], ...leases.question(peer.id)]);
    const answer = await peerRequests.request(peer, "ping", body, sentAt);
    if (answer === undefined) return;
    this.recordStatus(peer.id, answer[0]);
    this.deps.recordHeld(peer.id, answer[1] ?? 0, sentAt);
    if (leases.receiveReply(peer.id, answer.slice(2), sentAt)) await this.pingPeer(peer);
  }

  private createCycle(): NodeCycle {
    const { directory, leases, clock, observer, membership } = this.deps;
    const { id, address } = this.self;
    return new NodeCycle(id, {
      ...{ directory, leases },
      now: () => clock.now(),
      heartbeat: (): NodeHeartbeat => ({ id, address, isDraining: this.isDraining, ...this.deps.measure() }),
      isHeard: (other: string) => membership.isAlive(other, clock.now()),
      listed: (nodes: readonly DirectoryNode[]) => {
        for (const other of nodes) membership.add(other.id, other.address, clock.now());
      },
      failed: (error) => observer.directoryFailed(error),
    });
  }

  private reportChange(id: string, isAlive: boolean): void {
    const peer = this.deps.membership.get(id);
    if (peer !== undefined) this.deps.observer.peerChanged(peer, isAlive);
  }
}
