/**
 * Joins work for the same place into batches, so that many objects at once need few statements. One batch runs at a time. An item starts at
 * once if no batch started within the last `spacing`. Items that follow sooner wait for each other: until none arrives for `quiet`, and no
 * longer than `spacing` after the start of the last batch.
 *
 *   add a ──▶ [a] runs ──┐
 *   add b, c, d ─▶ queue ┴─▶ [b c d] runs
 */
import type { Clock, Ms } from "./clock.ts";

export interface BatchLimits {
  /** A batch with this number of items does not wait. */
  readonly size: number;
  readonly spacing: Ms;
  readonly quiet: Ms;
  /** A monotonic clock. */
  readonly clock: Clock;
}

interface QueuedItem<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

export class Batches<Item, Answer> {
  readonly #run: (batch: readonly Item[]) => Promise<readonly PromiseSettledResult<Answer>[]>;
  readonly #limits: BatchLimits;
  #queue: QueuedItem<Item, Answer>[] = [];
  #isRunning = false;
  #startedAt = Number.NEGATIVE_INFINITY;
  #cancelWait: () => void = () => undefined;

  /** `run` returns one result for each item, in order. If it throws, every item of the batch gets the error. */
  constructor(
    run: (batch: readonly Item[]) => Promise<readonly PromiseSettledResult<Answer>[]>,
    limits: BatchLimits,
  ) {
    this.#run = run;
    this.#limits = limits;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#plan();
    });
  }

  #plan(): void {
    const { size, spacing, quiet, clock } = this.#limits;
    if (this.#isRunning || this.#queue.length === 0) return;
    this.#cancelWait();
    const wait = Math.min(quiet, this.#startedAt + spacing - clock.now());
    if (wait <= 0 || this.#queue.length >= size) this.#start();
    else this.#cancelWait = clock.after(wait, () => this.#start());
  }

  #start(): void {
    const { size, clock } = this.#limits;
    this.#isRunning = true;
    this.#startedAt = clock.now();
    const batch = this.#queue.splice(0, size);
    const ended = (): void => {
      this.#isRunning = false;
      this.#plan();
    };
    this.#settle(batch).then(ended, ended);
  }

  #settle(batch: readonly QueuedItem<Item, Answer>[]): Promise<void> {
    return this.#run(batch.map(({ item }) => item)).then(
      (results) =>
        batch.forEach(({ resolve, reject }, index) => {
          const result = results[index];
          if (result?.status === "fulfilled") resolve(result.value);
          else reject(result?.reason);
        }),
      (reason: unknown) => batch.forEach(({ reject }) => reject(reason)),
    );
  }
}
