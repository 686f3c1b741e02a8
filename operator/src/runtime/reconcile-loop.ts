/** Works a queue of keys with a bounded number of workers: reconcile, then forget, come back later, or back off. */
import type { Ms } from "./clock.ts";
import type { KeyedQueue } from "./keyed-queue.ts";

/** How a reconcile ended well. */
export interface Outcome {
  /** Reconcile again after this time, although nothing may have changed. */
  readonly requeueAfter?: Ms;
  /** Somebody else had changed what was as it should be; it is again. */
  readonly isRepair?: boolean;
  /** A name is free that another object may wait for. */
  readonly freesName?: boolean;
}

/** Told about every reconcile, for metrics and the log. */
export interface ReconcileObserver {
  started(): void;
  finished(result: "success" | "requeue_after" | "error", seconds: number): void;
  /** `retryIn` is undefined where it is not tried again before something changes. */
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

  /** `seconds` is a monotonic clock; `reconcile` throws for what is worth a retry and for nothing else. */
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

  /** Takes no further key; resolves when the work under way has ended. */
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
