/**
 * The cycle by which a node stays a member of the exchange (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). One
 * cycle at a time, every 500 ms:
 *
 *   1. write the heartbeat; the first time, or after this node was marked gone: join, with the gate of its own writes closed before
 *   2. read the list of the nodes, which is valid for 1.5 s from the start of the cycle
 *   3. mark nodes gone that wrote no heartbeat for 10 s and that this node does not hear either, in the background. After an outage of the database
 *      all heartbeats are old, and the nodes still hear each other. A node that starts listens for a second before it marks any
 */
import type { Leases } from "../leases/leases.ts";
import type { Ms } from "../wire/units.ts";
import type { DirectoryNode, NodeDirectory, NodeHeartbeat } from "./node-directory.ts";

export const cycleInterval: Ms = 500;
/** Two pings of each peer. */
const listeningTime: Ms = 1_000;

export interface NodeCycleDependencies {
  readonly directory: NodeDirectory;
  readonly leases: Pick<Leases, "gate" | "receiveList" | "withdraw">;
  now(): Ms;
  heartbeat(): NodeHeartbeat;
  /** Whether frames of this node arrive. */
  isHeard(id: string): boolean;
  /** The other nodes that are not marked gone. */
  listed(nodes: readonly DirectoryNode[]): void;
  failed(error: unknown): void;
}

export class NodeCycle {
  private readonly id: string;
  private readonly deps: NodeCycleDependencies;
  private isJoined = false;
  private isMarking = false;
  private lastStart: Ms = -Infinity;
  /** When the first cycle succeeded: its list says which nodes to listen to. */
  private listensSince: Ms | undefined;
  private isRunning = false;
  /** Resolves when all cycles that were started are over, whether they succeeded or not. */
  private pending: Promise<void> = Promise.resolve();

  /** `id`: of this node. */
  constructor(id: string, deps: NodeCycleDependencies) {
    this.id = id;
    this.deps = deps;
  }

  /** Starts a cycle when it is time. Its failure is reported. */
  advance(now: Ms): void {
    if (this.isRunning || now - this.lastStart < cycleInterval) return;
    this.lastStart = now;
    this.run().catch((error: unknown) => this.deps.failed(error));
  }

  /** Runs a cycle after the one that is under way. Rejects if it fails. */
  run(): Promise<void> {
    const cycle = this.pending.then(() => this.runNow());
    this.pending = cycle.catch(() => {});
    return cycle;
  }

  /** Deletes this node's row, after the cycles under way, which would write it again. */
  async remove(): Promise<void> {
    await this.pending;
    this.isJoined = false;
    this.deps.leases.withdraw();
    await this.deps.directory.remove(this.id);
  }

  private async runNow(): Promise<void> {
    this.isRunning = true;
    this.lastStart = this.deps.now();
    try {
      await this.cycle(this.lastStart);
    } finally {
      this.isRunning = false;
    }
  }

  private async cycle(startedAt: Ms): Promise<void> {
    const { directory, leases } = this.deps;
    if (this.isJoined) await directory.beat(this.deps.heartbeat());
    else await this.join();
    let nodes = await directory.list();
    if (!this.isMember(nodes)) {
      await this.join();
      nodes = await directory.list();
      if (!this.isMember(nodes)) throw new Error(`strowger_node has no row of this node, ${this.id}`);
    }
    const others = nodes.filter(({ id }) => id !== this.id);
    leases.receiveList(others, startedAt, this.deps.now());
    this.deps.listed(others.filter(({ isGone }) => !isGone));
    this.listensSince ??= this.deps.now();
    if (startedAt - this.listensSince < listeningTime) return;
    const silent = others.filter(({ id, isStale }) => isStale && !this.deps.isHeard(id));
    void this.markGone(silent.map(({ id }) => id));
  }

  /** The row that was listed is not marked gone: so the heartbeat before it was written, because only this node removes its mark. */
  private isMember(nodes: readonly DirectoryNode[]): boolean {
    return nodes.some(({ id, isGone }) => id === this.id && !isGone);
  }

  private async join(): Promise<void> {
    const { directory, leases } = this.deps;
    this.isJoined = false;
    leases.withdraw();
    await directory.join(this.deps.heartbeat());
    this.isJoined = true;
    leases.gate.join(this.deps.now());
  }

  /** It may wait long for a commit of a node that was stopped in it. Every cycle tries again. */
  private async markGone(ids: readonly string[]): Promise<void> {
    if (ids.length === 0 || this.isMarking) return;
    this.isMarking = true;
    await this.deps.directory.markGone(ids).catch((error: unknown) => this.deps.failed(error));
    this.isMarking = false;
  }
}
