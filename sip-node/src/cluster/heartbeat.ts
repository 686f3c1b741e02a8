/**
 * Liveness of this node and its peers (design-sip rules 9 and 21). It finds peers in `strowger_node`, pings them and detects dead ones. It
 * reports this node's own status to them.
 */
import type { Ms } from "../wire/units.ts";
import type { Clock } from "./flow-owners.ts";
import { type NodeStatus, nodeStatuses, packStatus, readStatus } from "./frame.ts";
import { type Address, type Membership, type Peer, pingInterval } from "./membership.ts";
import type { NodeDirectory, NodeHeartbeat } from "./node-directory.ts";
import type { PeerAnswer, PeerRequests } from "./peer-requests.ts";

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
  private pingedAt: Ms = 0;
  private writtenAt: Ms = 0;
  /** Resolves when all pending writes are over, whether they succeeded or not. */
  private pendingWrites: Promise<unknown> = Promise.resolve();

  constructor(self: { readonly id: string; readonly address: Address }, deps: HeartbeatDependencies) {
    this.self = self;
    this.deps = deps;
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
    this.tryWriteHeartbeat();
  }

  /** Notifies the peers, which count this node as dead from now on. */
  leave(): void {
    const { membership, peerRequests, clock } = this.deps;
    this.status = "left";
    for (const { address } of membership.alive(clock.now()))
      peerRequests.send(address, "ping", packStatus("left"));
  }

  /** Deletes this node's row. It waits for pending writes, which would insert the row again. */
  async removeRow(): Promise<void> {
    await this.pendingWrites;
    await this.deps.directory.remove(this.self.id);
  }

  /** A frame of this peer arrived. */
  recordFrame(id: string, address: Address, now: Ms): void {
    if (this.deps.membership.recordFrame(id, address, now)) this.reportChange(id, true);
  }

  /** A peer reported its status, in a ping or in its answer. Returns the number of this node's own status. */
  recordStatus(id: string, status: number | undefined): number {
    if (this.deps.membership.setStatus(id, readStatus(status))) this.reportChange(id, false);
    return nodeStatuses[this.status];
  }

  /** Pings the peers twice a second, writes the heartbeat once a second and detects dead peers. Returns true when it pinged. */
  advance(now: Ms): boolean {
    if (now - this.pingedAt < pingInterval) return false;
    for (const { id } of this.deps.membership.sweep(this.pingedAt, now)) this.reportChange(id, false);
    this.pingedAt = now;
    void this.pingPeers();
    if (now - this.writtenAt >= 2 * pingInterval) this.tryWriteHeartbeat();
    return true;
  }

  /** Pings every peer. Resolves when each has answered or timed out. */
  async pingPeers(): Promise<void> {
    const { membership, peerRequests, clock } = this.deps;
    const now = clock.now();
    const peers = membership.all().filter(({ status }) => status !== "left");
    const answers = await peerRequests.requestAll(peers, "ping", packStatus(this.status), now);
    peers.forEach(({ id }, i) => this.receivePong(id, answers[i], now));
  }

  /** Writes this node's row and adds the other nodes. Resolves when the table was read. */
  async writeHeartbeat(): Promise<void> {
    const { membership, directory, clock } = this.deps;
    this.writtenAt = clock.now();
    const { id, address } = this.self;
    const write = directory.writeHeartbeat({
      id,
      address,
      isDraining: this.isDraining,
      ...this.deps.measure(),
    });
    this.pendingWrites = Promise.allSettled([this.pendingWrites, write]);
    const others = await write;
    const now = clock.now();
    for (const other of others) if (other.id !== id) membership.add(other.id, other.address, now);
  }

  private tryWriteHeartbeat(): void {
    this.writeHeartbeat().catch((error: unknown) => this.deps.observer.directoryFailed(error));
  }

  private receivePong(id: string, answer: PeerAnswer, sentAt: Ms): void {
    if (answer === undefined) return;
    this.recordStatus(id, answer[0]);
    this.deps.recordHeld(id, answer[1] ?? 0, sentAt);
  }

  private reportChange(id: string, isAlive: boolean): void {
    const peer = this.deps.membership.get(id);
    if (peer !== undefined) this.deps.observer.peerChanged(peer, isAlive);
  }
}
