/**
 * Acknowledgements of relayed responses. A peer relays a response without waiting for an answer, so their numbers are collected and sent
 * together, within the 100 ms of design-sip rule 9.
 */
import type { Ms } from "../wire/units.ts";
import { packNumbers } from "./frame.ts";
import type { Peer } from "./membership.ts";
import type { PeerRequests } from "./peer-requests.ts";

const interval: Ms = 50;

export class Acknowledgements {
  private readonly peerRequests: PeerRequests;
  private readonly pending = new Map<Peer, number[]>();
  private sentAt: Ms = 0;

  constructor(peerRequests: PeerRequests) {
    this.peerRequests = peerRequests;
  }

  /** Adds the number of a `response` frame. */
  add(peer: Peer, number: number): void {
    const numbers = this.pending.get(peer);
    if (numbers === undefined) this.pending.set(peer, [number]);
    else numbers.push(number);
  }

  /** Sends one frame to each peer, every `interval`. */
  advance(now: Ms): void {
    if (now - this.sentAt < interval) return;
    this.sentAt = now;
    for (const [peer, numbers] of this.pending)
      this.peerRequests.send(peer.address, "acknowledge", packNumbers(numbers));
    this.pending.clear();
  }
}
