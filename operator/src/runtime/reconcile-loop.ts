/** Processes a queue of keys with a limited number of workers. After a reconcile the key is done, is requeued, or backs off. */
import type { Ms } from "./clock.ts";
import type { KeyedQueue } from "./keyed-queue.ts";

/** The result of a successful reconcile. */
export interface Outcome {
  /** Reconcile again after this time, even without a change. */
  readonly requeueAfter?: Ms;
  /** Another program had changed correct rows, and they are correct again. */
  readonly isRepair?: boolean;
  /** A name was freed that another object may wait for. */
  readonly freesName?: boolean;
}

/** For metrics and the log. */
export interface ReconcileObserver {
  started(): void;
  finished(result: "success" | "requeue_after" | "error", seconds: number): void;
  /** `retryIn` is undefined if the key is not retried before its next change. */
  failed(key: string, cause: unknown, retryIn: Ms | undefined): void;
}

export class ReconcileLoop<Key extends string> {
  readonly #queue: KeyedQueue<Key>;
  readonly #reconcile: (key: Key) => Promise<Outcome>;
  readonly #workers: number;
  readonly #observer: ReconcileObserver | undefined;
  readonly #seconds: () => number;
  #active = 0;
  #isStopped = false;
  #whenIdle: (() => void) | undefined;

  /** `seconds` is a monotonic clock. `reconcile` throws only for errors that are worth a retry. */
  constructor(
    queue: KeyedQueue<Key>,
    reconcile: (key: Key) => Promise<Outcome>,
    options: {
      readonly workers: number;
      readonly seconds: () => number;
      readonly observer?: ReconcileObserver;
    },
  ) {
    this.#queue = queue;
    this.#reconcile = reconcile;
    this.#workers = options.workers;
    this.#observer = options.observer;
    this.#seconds = options.seconds;
  }

  start(): void {
    this.#queue.listen(() => this.#fill());
    this.#fill();
  }

  /** Takes no further key. Resolves when the work in progress has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#queue.clear();
    if (this.#active === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#whenIdle = resolve));
  }

  #fill(): void {
    while (!this.#isStopped && this.#active < this.#workers) {
      const key = this.#queue.take();
      if (key === undefined) return;
      this.#active += 1;
      this.#work(key).catch((cause: unknown) => this.#observer?.failed(key, cause, undefined));
    }
  }

  async #work(key: Key): Promise<void> {
    const start = this.#seconds();
    this.#observer?.started();
    try {
      const { requeueAfter } = await this.#reconcile(key);
      this.#queue.forget(key);
      if (requeueAfter !== undefined && !this.#isStopped) this.#queue.addAfter(key, requeueAfter);
      this.#observer?.finished(
        requeueAfter === undefined ? "success" : "requeue_after",
        this.#seconds() - start,
      );
    } catch (cause) {
      const retryIn = this.#isStopped ? undefined : this.#queue.retry(key);
      if (this.#isStopped) this.#queue.forget(key);
      this.#observer?.finished("error", this.#seconds() - start);
      this.#observer?.failed(key, cause, retryIn);
    } finally {
      this.#active -= 1;
      this.#queue.done(key);
      this.#fill();
      if (this.#active === 0) this.#whenIdle?.();
    }
  }
}
