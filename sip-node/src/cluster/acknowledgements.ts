/**
 * Acknowledgements of messages that peers sent to this node and that it accepted. The peer does other work meanwhile, so their numbers are
 * collected and sent together: a tenth of the frames of one answer each, and well within the 100 ms of design-sip rule 9.
 */
import { packNumbers } from "./frame.ts";
import type { Peer } from "./membership.ts";
import type { PeerRequests } from "./peer-requests.ts";

export class Acknowledgements {
  private readonly peerRequests: PeerRequests;
  private readonly pending = new Map<Peer, number[]>();

  constructor(peerRequests: PeerRequests) {
    this.peerRequests = peerRequests;
  }

  /** Adds the number of an accepted frame. */
  add(peer: Peer, number: number): void {
    const numbers = this.pending.get(peer);
    if (numbers === undefined) this.pending.set(peer, [number]);
    else numbers.push(number);
  }

  /** Sends one frame to each peer. Call it every 20 ms: a peer repeats its frame after 40 ms. */
  send(): void {
    for (const [peer, numbers] of this.pending)
      this.peerRequests.send(peer.address, "acknowledge", packNumbers(numbers));
    this.pending.clear();
  }
}
