/**
 * Joins all items that arrive while a statement runs into the next statement. Under load a batch grows, and a single item does not wait.
 * Reads are coalesced by it, and writes are committed as groups.
 *
 *   add a ──▶ [a] runs ──────────────▶ [b c d] runs ──▶
 *   add b, c, d while a runs ─▶ queue ─┘
 *
 * With an `interval` a batch begins that long after the begin of the last one, or when it is full. So a load that is no load for the database
 * makes few batches too. The first item after a pause does not wait.
 *
 * A batch that fails is run again in halves, down to the one item that the database refuses. So no item fails because of another one.
 */
import type { Ms } from "../wire/units.ts";
import { StoreUnavailable } from "./location-store.ts";

export interface CoalescerDependencies<Item, Answer> {
  /** Returns one answer for each item, in order. It throws `StoreUnavailable` when another attempt is of no use. */
  run(batch: readonly Item[]): Promise<readonly Answer[]>;
  /** Calls `act` after `delay`, at the earliest after this turn of the event loop: so all items of one turn are in the first batch. */
  defer(act: () => void, delay: Ms): void;
  /** Monotonic. */
  now(): Ms;
}

export interface CoalescerLimits {
  readonly maxBatch: number;
  /** How many batches may run at the same time. */
  readonly maxRunning: number;
  readonly maxQueue: number;
  /** The least time between the begins of two batches; default: 0. */
  readonly interval?: Ms;
}

/** Makes a coalescer for one kind of items. */
export type Coalesce = <Item, Answer>(
  run: CoalescerDependencies<Item, Answer>["run"],
  limits: CoalescerLimits,
) => Coalescer<Item, Answer>;

interface QueuedItem<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

export class Coalescer<Item, Answer> {
  private queue: QueuedItem<Item, Answer>[] = [];
  private running = 0;
  private begunAt: Ms = Number.NEGATIVE_INFINITY;
  private isWaiting = false;
  private readonly deps: CoalescerDependencies<Item, Answer>;
  private readonly limits: CoalescerLimits;

  constructor(deps: CoalescerDependencies<Item, Answer>, limits: CoalescerLimits) {
    this.deps = deps;
    this.limits = limits;
  }

  /** Resolves when the item's batch has run. Rejects at once with `QueueFull` when the queue is full. */
  add(item: Item): Promise<Answer> {
    const { maxBatch, maxQueue, maxRunning } = this.limits;
    if (this.queue.length >= maxQueue) return Promise.reject(new QueueFull(maxQueue));
    return new Promise((resolve, reject) => {
      const length = this.queue.push({ item, resolve, reject });
      const isDue = length === 1 || (length === maxBatch && this.isWaiting);
      if (isDue && this.running < maxRunning) this.deps.defer(() => this.begin(), 0);
    });
  }

  /** Starts the next batch when it is due. */
  private begin(): void {
    const { interval = 0, maxBatch } = this.limits;
    const wait = this.begunAt + interval - this.deps.now();
    if (wait <= 0 || this.queue.length >= maxBatch) return this.startBatch();
    if (this.isWaiting || this.queue.length === 0) return;
    this.isWaiting = true;
    this.deps.defer(() => {
      this.isWaiting = false;
      this.startBatch();
    }, wait);
  }

  private startBatch(): void {
    if (this.queue.length === 0 || this.running >= this.limits.maxRunning) return;
    const batch = this.queue.splice(0, this.limits.maxBatch);
    this.running += 1;
    this.begunAt = this.deps.now();
    void this.settle(batch).then(() => {
      this.running -= 1;
      this.begin();
    });
    this.begin();
  }

  private settle(batch: readonly QueuedItem<Item, Answer>[]): Promise<void> {
    return this.deps.run(batch.map(({ item }) => item)).then(
      (answers) => batch.forEach(({ resolve }, i) => resolve(answers[i] as Answer)),
      (reason: unknown) => this.fail(batch, reason),
    );
  }

  private fail(batch: readonly QueuedItem<Item, Answer>[], reason: unknown): Promise<void> | undefined {
    if (reason instanceof StoreUnavailable) this.rejectQueue(reason);
    else if (batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      return this.settle(batch.slice(0, middle)).then(() => this.settle(batch.slice(middle)));
    }
    for (const { reject } of batch) reject(reason);
    return undefined;
  }

  /** The queue is rejected at once when the database is unavailable. Batch by batch, the last item would wait for minutes. */
  private rejectQueue(reason: StoreUnavailable): void {
    for (const { reject } of this.queue.splice(0)) reject(reason);
  }
}

export class QueueFull extends Error {
  constructor(limit: number) {
    super(`${limit} requests wait for the database already`);
    this.name = "QueueFull";
  }
}
