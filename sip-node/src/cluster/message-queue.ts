/**
 * A queue of messages for phones that no live node can reach now. Each message waits for the next datagram on its phone's flow (design-sip
 * rule 7, P4). Every datagram of every phone calls `wake`, so messages are found by their flow.
 */
import type { Ms } from "../wire/units.ts";

export const maxWait: Ms = 25_000;

/** `repeated`: the same message was queued before, and is sent. */
export type WaitResult = "reachable" | "repeated" | "unreachable";

interface QueuedMessage {
  readonly flowKey: string;
  readonly until: Ms;
  readonly ended: Promise<WaitResult>;
  readonly settle: (result: WaitResult) => void;
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
   * Resolves `reachable` when a datagram arrives on the flow, and `unreachable` after `maxWait` or when the queue is full. A retransmission has the same
   * text. It is not queued twice: `repeated`, when the first one ended.
   */
  wait(flowKey: string, text: string, now: Ms): Promise<WaitResult> {
    const key = `${flowKey} ${text}`;
    const first = this.messages.get(key);
    if (first !== undefined)
      return first.ended.then((result) => (result === "reachable" ? "repeated" : result));
    if (this.messages.size >= this.limit) return Promise.resolve("unreachable");
    const { promise: ended, resolve: settle } = Promise.withResolvers<WaitResult>();
    this.messages.set(key, { flowKey, until: now + maxWait, ended, settle });
    const ofFlow = this.byFlow.get(flowKey);
    if (ofFlow === undefined) this.byFlow.set(flowKey, new Set([key]));
    else ofFlow.add(key);
    return ended;
  }

  /** A datagram arrived on this flow. */
  wake(flowKey: string): void {
    if (this.messages.size === 0) return;
    const ofFlow = this.byFlow.get(flowKey);
    if (ofFlow !== undefined) for (const key of ofFlow) this.end(key, "reachable");
  }

  /** Ends messages that waited for `maxWait`. */
  expire(now: Ms): void {
    for (const [key, { until }] of this.messages) {
      if (until > now) return;
      this.end(key, "unreachable");
    }
  }

  private end(key: string, result: WaitResult): void {
    const message = this.messages.get(key);
    if (message === undefined) return;
    this.messages.delete(key);
    const ofFlow = this.byFlow.get(message.flowKey);
    ofFlow?.delete(key);
    if (ofFlow?.size === 0) this.byFlow.delete(message.flowKey);
    message.settle(result);
  }
}
