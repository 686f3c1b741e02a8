/** The time limit of a request. */

export class DeadlinePassed extends Error {}

/** Aborts after `ms`, or when `outer` aborts. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  readonly #abort = (): void => this.#controller.abort(this.#outer?.reason);

  constructor(ms: number, outer?: AbortSignal) {
    this.#outer = outer;
    this.#timer = setTimeout(
      () => this.#controller.abort(new DeadlinePassed(`no answer within ${ms} ms`)),
      ms,
    );
    if (outer?.aborted === true) this.#abort();
    outer?.addEventListener("abort", this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Removes the time limit. `outer` still aborts. */
  lift(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.lift();
    this.#outer?.removeEventListener("abort", this.#abort);
  }
}
