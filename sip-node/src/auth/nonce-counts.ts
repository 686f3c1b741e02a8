/**
 * The last `nc` that this node accepted for each nonce (RFC 7616 §3.4.5). It prevents replays that no database row prevents. The number of
 * nonces is limited: above the limit the least recently used nonce is forgotten, and can be replayed until it expires.
 */
import { detached } from "../wire/recent.ts";

export class NonceCounts {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;

  /** `limit`: the number of nonces. A nonce lives for minutes and belongs to one Call-ID. */
  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Whether the count is greater than every earlier one of this nonce. Only then it is stored. */
  accept(nonce: string, count: number): boolean {
    const last = this.#counts.get(nonce) ?? 0;
    if (count <= last) return false;
    this.#counts.delete(nonce);
    this.#counts.set(detached(nonce), count);
    const [oldest] = this.#counts.size > this.#limit ? this.#counts.keys() : [];
    if (oldest !== undefined) this.#counts.delete(oldest);
    return true;
  }
}
