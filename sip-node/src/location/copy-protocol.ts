/**
 * What the location service needs from the protocol that keeps the copies of all nodes current (docs/adr/0045), and what the protocol needs from
 * the copy. `leases/` implements the protocol. Neither side knows how the other one works, and the payload is opaque to the protocol.
 */

/** The longest change that is announced, in bytes: it fits into one frame. A longer batch is announced in several changes. */
export const maxChangeBytes = 32_000;

/** How this node's copy is known to be current, and how its changes reach the copies of the other nodes. */
export interface CopyProtocol {
  /** Whether the copy has every change that a 200 OK of any node can have acknowledged. It is called for each look-up, so it is cheap. */
  isCurrent(): boolean;
  /** Resolves when each peer has applied the change, or no peer that has not applied it can use its copy. It never rejects. */
  announce(change: Uint8Array): Promise<void>;
}

/** The copy, as the protocol reaches it. */
export interface CopyReceiver {
  /**
   * A peer announces a batch of changes. The same batch may arrive again and in any order, because the versions in it decide. Bytes that
   * cannot be read have the effect of `distrust`.
   */
  apply(change: Uint8Array): void;
  /** Changes may have been missed. What was read or applied before is not used again until it is read again, except while MySQL is away. */
  distrust(): void;
}

/** The protocol of one node that has no peer, now or later: its own writes are the only ones. For tests. */
export const protocolOfOneNode: CopyProtocol = {
  isCurrent: () => true,
  announce: () => Promise.resolve(),
};

/** Nothing is answered from the copy: the protocol of a node that may have peers and does not know what they write. */
export const protocolWithoutPeers: CopyProtocol = {
  isCurrent: () => false,
  announce: () => Promise.resolve(),
};
