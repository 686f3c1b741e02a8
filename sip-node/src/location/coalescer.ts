/**
 * Joins what is asked while a statement is under way into the next statement: under load a batch grows by itself, and a lone
 * request waits for nothing. Reads coalesce by this, writes commit as groups.
 *
 *   ask a ──▶ [a] running ───────────▶ [b c d] running ──▶
 *   ask b, c, d while a runs ─▶ queue ─┘
 *
 * A batch that fails is asked again in halves, down to the one item that the database refuses: no item fails for another's sake.
 */
import { StoreUnavailable } from "./location-store.ts";

/** Answers every item of a batch, in the order of the batch; it throws `StoreUnavailable` where asking again is of no use. */
export type RunBatch<Item, Answer> = (batch: readonly Item[]) => Promise<readonly Answer[]>;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

export class Coalescer<Item, Answer> {
  private queue: Waiting<Item, Answer>[] = [];
  private running = 0;
  private readonly run: RunBatch<Item, Answer>;
  private readonly defer: (act: () => void) => void;
  private readonly maxBatch: number;
  private readonly maxRunning: number;
  private readonly maxQueue: number;

  /** `defer` lets what arrives in the same turn of the event loop join the first batch. */
  constructor(
    run: RunBatch<Item, Answer>,
    defer: (act: () => void) => void,
    bounds: { readonly maxBatch: number; readonly maxRunning: number; readonly maxQueue: number },
  ) {
    this.run = run;
    this.defer = defer;
    this.maxBatch = bounds.maxBatch;
    this.maxRunning = bounds.maxRunning;
    this.maxQueue = bounds.maxQueue;
  }

  /** Rejects with `QueueFull` at once when more wait than the bound allows, else as the batch ends. */
  ask(item: Item): Promise<Answer> {
    if (this.queue.length >= this.maxQueue) return Promise.reject(new QueueFull(this.maxQueue));
    return new Promise((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      if (this.queue.length === 1 && this.running < this.maxRunning) this.defer(() => this.next());
    });
  }

  private next(): void {
    if (this.queue.length === 0 || this.running >= this.maxRunning) return;
    const batch = this.queue.splice(0, this.maxBatch);
    this.running += 1;
    void this.settle(batch).then(() => {
      this.running -= 1;
      this.next();
    });
    this.next();
  }

  private settle(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    return this.run(batch.map((waiting) => waiting.item)).then(
      (answers) => batch.forEach((waiting, i) => waiting.resolve(answers[i] as Answer)),
      (reason: unknown) => this.fail(batch, reason),
    );
  }

  private fail(batch: readonly Waiting<Item, Answer>[], reason: unknown): Promise<void> | undefined {
    if (reason instanceof StoreUnavailable) this.refuseQueue(reason);
    else if (batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      return this.settle(batch.slice(0, middle)).then(() => this.settle(batch.slice(middle)));
    }
    for (const waiting of batch) waiting.reject(reason);
    return undefined;
  }

  /** Who waits behind a batch that met no database is told at once: a batch after the other would be told minutes late. */
  private refuseQueue(reason: StoreUnavailable): void {
    for (const waiting of this.queue.splice(0)) waiting.reject(reason);
  }
}

export class QueueFull extends Error {
  constructor(bound: number) {
    super(`${bound} requests wait for the database already`);
    this.name = "QueueFull";
  }
}
