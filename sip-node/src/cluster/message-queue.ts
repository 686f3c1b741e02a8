/**
 * A queue of messages for phones that no live node can reach now. Each message waits for the next datagram on its phone's flow (design-sip
 * rule 7, P4). Every datagram of every phone calls `wake`, so messages are found by their flow.
 */
import type { Ms } from "../wire/units.ts";

export const maxWait: Ms = 25_000;

interface QueuedMessage {
  readonly flowKey: string;
  readonly until: Ms;
  readonly settle: (isReachable: boolean) => void;
}

export class MessageQueue {
  /** In the order of `until`. */
  private readonly messages = new Map<Uint8Array, QueuedMessage>();
  private readonly byFlow = new Map<string, Set<Uint8Array>>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.messages.size;
  }

  /**
   * Resolves true when a datagram arrives on the flow, and false after `maxWait` or when the queue is full. A retransmission has the same
   * bytes object. It is not queued twice: its promise never resolves.
   */
  wait(flowKey: string, bytes: Uint8Array, now: Ms): Promise<boolean> {
    if (this.messages.has(bytes)) return new Promise(() => {});
    if (this.messages.size >= this.limit) return Promise.resolve(false);
    return new Promise((settle) => {
      this.messages.set(bytes, { flowKey, until: now + maxWait, settle });
      const ofFlow = this.byFlow.get(flowKey);
      if (ofFlow === undefined) this.byFlow.set(flowKey, new Set([bytes]));
      else ofFlow.add(bytes);
    });
  }

  /** A datagram arrived on this flow. */
  wake(flowKey: string): void {
    const ofFlow = this.byFlow.get(flowKey);
    if (ofFlow !== undefined) for (const bytes of ofFlow) this.end(bytes, true);
  }

  /** Ends messages that waited for `maxWait`. */
  expire(now: Ms): void {
    for (const [bytes, { until }] of this.messages) {
      if (until > now) return;
      this.end(bytes, false);
    }
  }

  private end(bytes: Uint8Array, isReachable: boolean): void {
    const message = this.messages.get(bytes);
    if (message === undefined) return;
    this.messages.delete(bytes);
    const ofFlow = this.byFlow.get(message.flowKey);
    ofFlow?.delete(bytes);
    if (ofFlow?.size === 0) this.byFlow.delete(message.flowKey);
    message.settle(isReachable);
  }
}
