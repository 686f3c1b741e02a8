/** Who the peers are and which of them live (design-sip rule 9): frames prove life, silence of three seconds death. */
import type { Ms } from "../wire/units.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Peer {
  readonly id: string;
  readonly address: Address;
  /** Undefined until its first frame came. */
  heardAt: Ms | undefined;
}

export const pingInterval: Ms = 500;
export const deadAfter: Ms = 3_000;
/** A peer that stays silent this long is not pinged any more; `strowger_node` or its own ping introduces it again. */
const forgottenAfter: Ms = 60_000;

export class Membership {
  private readonly peers = new Map<string, Peer & { knownAt: Ms }>();

  /** A peer that `strowger_node` names: to be pinged, not yet alive. */
  introduce(id: string, address: Address, now: Ms): void {
    if (!this.peers.has(id)) this.peers.set(id, { id, address, heardAt: undefined, knownAt: now });
  }

  /** A frame of this peer came; true when it lives only since now. */
  heard(id: string, address: Address, now: Ms): boolean {
    const isNew = !this.isAlive(id, now);
    const known = this.peers.get(id); // a node keeps its address for life
    if (known === undefined) this.peers.set(id, { id, address, heardAt: now, knownAt: now });
    else known.heardAt = known.knownAt = now;
    return isNew;
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

  all(): Peer[] {
    return [...this.peers.values()];
  }
}
