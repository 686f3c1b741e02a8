/**
 * Transactions that this node took over from draining peers, counted for each peer. A draining peer stays until each node reports that it
 * holds none for it (design-sip rule 21).
 */
export class HandedOver {
  private readonly counts = new Map<string, number>();

  /** A transaction of this peer begins. Call the returned function once, at its end. */
  begin(peer: string): () => void {
    this.counts.set(peer, this.count(peer) + 1);
    return () => {
      const remaining = this.count(peer) - 1;
      if (remaining > 0) this.counts.set(peer, remaining);
      else this.counts.delete(peer);
    };
  }

  count(peer: string): number {
    return this.counts.get(peer) ?? 0;
  }
}
