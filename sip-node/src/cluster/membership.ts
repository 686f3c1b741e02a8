/**
 * The peers and which of them are alive (design-sip rule 9). A frame proves that its sender is alive. A peer is dead after three seconds
 * without a frame, or when it reports that it leaves. A draining peer is alive and accepts no new requests (rule 21).
 */
import type { Ms } from "../wire/units.ts";
import type { NodeStatus } from "./frame.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Peer {
  readonly id: string;
  readonly address: Address;
  /** When its last frame arrived; undefined: none arrived yet, or it has left. */
  lastReceivedAt: Ms | undefined;
  /** The status that it reported last. */
  status: NodeStatus;
}

export const pingInterval: Ms = 500;
export const deadAfter: Ms = 3_000;
/** A peer that is silent this long is no longer pinged. `strowger_node` or its own ping adds it again. */
const forgottenAfter: Ms = 60_000;

export class Membership {
  private readonly peers = new Map<string, Peer & { knownAt: Ms }>();

  /** Adds a peer from `strowger_node`. It is pinged, and not yet alive. */
  add(id: string, address: Address, now: Ms): void {
    if (!this.peers.has(id))
      this.peers.set(id, { id, address, lastReceivedAt: undefined, status: "serving", knownAt: now });
  }

  /** A frame of this peer arrived. Returns true when the peer was not alive before. */
  recordFrame(id: string, address: Address, now: Ms): boolean {
    const known = this.peers.get(id); // a node never changes its address
    if (known?.status === "left") return false; // a late frame: a node that left never returns under its id
    const isNew = !this.isAlive(id, now);
    if (known === undefined)
      this.peers.set(id, { id, address, lastReceivedAt: now, status: "serving", knownAt: now });
    else known.lastReceivedAt = known.knownAt = now;
    return isNew;
  }

  /** A peer reported its status. Returns true when it has just left. */
  setStatus(id: string, status: NodeStatus): boolean {
    const known = this.peers.get(id);
    if (known === undefined || known.status === "left") return false;
    known.status = status;
    if (status !== "left") return false;
    known.lastReceivedAt = undefined;
    return true;
  }

  /** Forgets peers that are silent for a minute. Returns those that died since the last call, which had `previous` as its `now`. */
  sweep(previous: Ms, now: Ms): readonly Peer[] {
    const died: Peer[] = [];
    for (const peer of this.peers.values()) {
      const { lastReceivedAt } = peer;
      if (lastReceivedAt !== undefined) {
        const wasAlive = previous - lastReceivedAt < deadAfter;
        if (wasAlive && now - lastReceivedAt >= deadAfter) died.push(peer);
      }
      if (now - peer.knownAt >= forgottenAfter) this.peers.delete(peer.id);
    }
    return died;
  }

  get(id: string): Peer | undefined {
    return this.peers.get(id);
  }

  isAlive(id: string, now: Ms): boolean {
    const lastReceivedAt = this.peers.get(id)?.lastReceivedAt;
    return lastReceivedAt !== undefined && now - lastReceivedAt < deadAfter;
  }

  alive(now: Ms): Peer[] {
    return [...this.peers.values()].filter(
      ({ lastReceivedAt }) => lastReceivedAt !== undefined && now - lastReceivedAt < deadAfter,
    );
  }

  /** Live peers that accept new requests. */
  serving(now: Ms): Peer[] {
    return this.alive(now).filter(({ status }) => status === "serving");
  }

  all(): Peer[] {
    return [...this.peers.values()];
  }
}
