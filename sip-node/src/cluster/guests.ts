/** Transactions that this node holds for peers that drain: such a peer stays until it is told that none is left (design-sip rule 21). */
export class Guests {
  private readonly counts = new Map<string, number>();

  /** A transaction for this peer begins; the answer ends it, once. */
  admit(peer: string): () => void {
    this.counts.set(peer, this.of(peer) + 1);
    return () => {
      const left = this.of(peer) - 1;
      if (left > 0) this.counts.set(peer, left);
      else this.counts.delete(peer);
    };
  }

  of(peer: string): number {
    return this.counts.get(peer) ?? 0;
  }
}
