/**
 * Who the peers are and which of them live (design-sip rule 9): frames prove life; silence of three seconds, or their own word, the
 * end. Those that drain live and take nothing new (rule 21).
 */
import type { Standing } from "./frame.ts";
import type { Ms } from "../wire/units.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Peer {
  readonly id: string;
  readonly address: Address;
  /** Undefined until its first frame came, and once it has left. */
  heardAt: Ms | undefined;
  /** What it last said of itself. */
  standing: Standing;
}

export const pingInterval: Ms = 500;
export const deadAfter: Ms = 3_000;
/** A peer that stays silent this long is not pinged any more; `strowger_node` or its own ping introduces it again. */
const forgottenAfter: Ms = 60_000;

export class Membership {
  private readonly peers = new Map<string, Peer & { knownAt: Ms }>();

  /** A peer that `strowger_node` names: to be pinged, not yet alive. */
  introduce(id: string, address: Address, now: Ms): void {
    if (!this.peers.has(id))
      this.peers.set(id, { id, address, heardAt: undefined, standing: "serves", knownAt: now });
  }

  /** A frame of this peer came; true when it lives only since now. */
  heard(id: string, address: Address, now: Ms): boolean {
    const known = this.peers.get(id); // a node keeps its address for life
    if (known?.standing === "left") return false; // what was under way when it left; its id never comes back
    const isNew = !this.isAlive(id, now);
    if (known === undefined)
      this.peers.set(id, { id, address, heardAt: now, standing: "serves", knownAt: now });
    else known.heardAt = known.knownAt = now;
    return isNew;
  }

  /** What a live peer says of itself; true when it has just left. */
  stands(id: string, standing: Standing): boolean {
    const known = this.peers.get(id);
    if (known === undefined || known.standing === "left") return false;
    known.standing = standing;
    if (standing !== "left") return false;
    known.heardAt = undefined;
    return true;
  }

  /** Forgets the long silent; returns those that died since the last call with `before`. */
  sweep(before: Ms, now: Ms): readonly Peer[] {
    const died: Peer[] = [];
    for (const peer of this.peers.values()) {
      if (peer.heardAt !== undefined && now - peer.heardAt >= deadAfter && before - peer.heardAt < deadAfter)
        died.push(peer);
      if (now - peer.knownAt >= forgottenAfter) this.peers.delete(peer.id);
    }
    return died;
  }

  get(id: string): Peer | undefined {
    return this.peers.get(id);
  }

  isAlive(id: string, now: Ms): boolean {
    const heardAt = this.peers.get(id)?.heardAt;
    return heardAt !== undefined && now - heardAt < deadAfter;
  }

  alive(now: Ms): Peer[] {
    return [...this.peers.values()].filter(
      ({ heardAt }) => heardAt !== undefined && now - heardAt < deadAfter,
    );
  }

  /** Live peers that take new requests. */
  serving(now: Ms): Peer[] {
    return this.alive(now).filter(({ standing }) => standing === "serves");
  }

  all(): Peer[] {
    return [...this.peers.values()];
  }
}
