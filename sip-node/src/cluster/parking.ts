/**
 * Messages for a phone that no live node can reach now: they wait for its next datagram (design-sip rule 7, P4). What a flow's datagram
 * wakes is found by the flow, because every datagram of everybody asks.
 */
import type { Ms } from "../wire/units.ts";

export const parkedAtMost: Ms = 25_000;

interface Parked {
  readonly flowKey: string;
  readonly until: Ms;
  readonly wake: (isHeard: boolean) => void;
}

export class Parking {
  /** In the order of `until`. */
  private readonly waiting = new Map<Uint8Array, Parked>();
  private readonly byFlow = new Map<string, Set<Uint8Array>>();
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
    return new Promise((wake) => {
      this.waiting.set(bytes, { flowKey, until: now + parkedAtMost, wake });
      const ofFlow = this.byFlow.get(flowKey);
      if (ofFlow === undefined) this.byFlow.set(flowKey, new Set([bytes]));
      else ofFlow.add(bytes);
    });
  }

  heard(flowKey: string): void {
    const ofFlow = this.byFlow.get(flowKey);
    if (ofFlow !== undefined) for (const bytes of ofFlow) this.end(bytes, true);
  }

  sweep(now: Ms): void {
    for (const [bytes, { until }] of this.waiting) {
      if (until > now) return;
      this.end(bytes, false);
    }
  }

  private end(bytes: Uint8Array, isHeard: boolean): void {
    const parked = this.waiting.get(bytes);
    if (parked === undefined) return;
    this.waiting.delete(bytes);
    const ofFlow = this.byFlow.get(parked.flowKey);
    ofFlow?.delete(bytes);
    if (ofFlow?.size === 0) this.byFlow.delete(parked.flowKey);
    parked.wake(isHeard);
  }
}
