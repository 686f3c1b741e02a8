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
  private readonly messages = new Map<string, QueuedMessage>();
  private readonly byFlow = new Map<string, Set<string>>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.messages.size;
  }

  /**
   * Resolves true when a datagram arrives on the flow, and false after `maxWait` or when the queue is full. A retransmission has the same
   * text. It is not queued twice: its promise never resolves.
   */
  wait(flowKey: string, text: string, now: Ms): Promise<boolean> {
    const key = `${flowKey} ${text}`;
    if (this.messages.has(key)) return new Promise(() => {});
    if (this.messages.size >= this.limit) return Promise.resolve(false);
    return new Promise((settle) => {
      this.messages.set(key, { flowKey, until: now + maxWait, settle });
      const ofFlow = this.byFlow.get(flowKey);
      if (ofFlow === undefined) this.byFlow.set(flowKey, new Set([key]));
      else ofFlow.add(key);
    });
  }

  /** A datagram arrived on this flow. */
  wake(flowKey: string): void {
    if (this.messages.size === 0) return;
    const ofFlow = this.byFlow.get(flowKey);
    if (ofFlow !== undefined) for (const key of ofFlow) this.end(key, true);
  }

  /** Ends messages that waited for `maxWait`. */
  expire(now: Ms): void {
    for (const [key, { until }] of this.messages) {
      if (until > now) return;
      this.end(key, false);
    }
  }

  private end(key: string, isReachable: boolean): void {
    const message = this.messages.get(key);
    if (message === undefined) return;
    this.messages.delete(key);
    const ofFlow = this.byFlow.get(message.flowKey);
    ofFlow?.delete(key);
    if (ofFlow?.size === 0) this.byFlow.delete(message.flowKey);
    message.settle(isReachable);
  }
}
