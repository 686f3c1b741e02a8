/**
 * Messages for a phone that no live node can reach now: they wait for its next datagram (design-sip rule 7, P4).
 */
import type { Ms } from "../wire/units.ts";

export const parkedAtMost: Ms = 25_000;

interface Parked {
  readonly flowKey: string;
  readonly until: Ms;
  readonly wake: (isHeard: boolean) => void;
}

export class Parking {
  private readonly waiting = new Map<Uint8Array, Parked>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.waiting.size;
  }

  /**
   * Resolves true when the flow is heard, false when the time is over or the room is full. A message that waits already, as a
   * retransmission does, is not parked twice: its promise never resolves.
   */
  wait(flowKey: string, bytes: Uint8Array, now: Ms): Promise<boolean> {
    if (this.waiting.has(bytes)) return new Promise(() => {});
    if (this.waiting.size >= this.limit) return Promise.resolve(false);
    return new Promise((wake) => this.waiting.set(bytes, { flowKey, until: now + parkedAtMost, wake }));
  }

  heard(flowKey: string): void {
    if (this.waiting.size > 0) this.wakeWhere((parked) => parked.flowKey === flowKey, true);
  }

  sweep(now: Ms): void {
    if (this.waiting.size > 0) this.wakeWhere((parked) => parked.until <= now, false);
  }

  private wakeWhere(matches: (parked: Parked) => boolean, isHeard: boolean): void {
    for (const [bytes, parked] of this.waiting) {
      if (!matches(parked)) continue;
      this.waiting.delete(bytes);
      parked.wake(isHeard);
    }
  }
}
