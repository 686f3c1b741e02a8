/**
 * Mirrors all objects of one type from the API server: lists them page by page, then watches them, and reports each change. It uses no
 * client itself: `list` and `watch` are passed in.
 *
 * It never ends by itself. Every failure is retried after a back-off with jitter. When the API server no longer has the version (410), or
 * after some failed watches in a row, it lists again. A watch without an event or bookmark for some time is closed and opened again, because
 * a dead connection may not report an error. After `stop` it sends no request and reports nothing.
 *
 *     list ──► watch ──► watch ...     410, or too many failures: list
 *       ▲        │
 *       └────────┘
 */
import { backOffDelay } from "./back-off.ts";
import type { Clock, Ms } from "./clock.ts";
import type { ObjectKey } from "./object.ts";
import { ReflectedStore, type Identified, type StoreChange } from "./reflected-store.ts";

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** The start of the next page; absent or empty: this is the last page. */
  readonly continue?: string;
}

/** An event of the API server. The object of an ERROR is a `Status`; the object of a BOOKMARK has only a resource version. */
export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

/** The requests to the API server. Both throw an error, with the HTTP `status` if there was an answer. */
export interface ListWatch<T> {
  /** `limit` 0: all objects in one page. */
  list(page: { readonly limit: number; readonly continue?: string }, signal: AbortSignal): Promise<Page<T>>;
  /** Calls `opened` when the server accepts, then `on` for each event. Resolves when the server ends the watch. */
  watch(
    from: string,
    timeoutSeconds: number,
    handlers: { opened(): void; on(event: WatchEvent<T>): void },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface ReflectorObserver<T> {
  changed(change: StoreChange<T>): void;
  /** A list was stored, and its changes were reported. */
  listed(objects: number): void;
  failed(cause: unknown, retryIn: Ms): void;
  /** A handler of `changed` or `listed` threw. The reflector continues. */
  handlerFailed(cause: unknown): void;
}

export interface ReflectorDependencies {
  readonly clock: Clock;
  readonly random: () => number;
  /** After this time without an event or a bookmark a watch is opened again. Bookmarks come about once a minute. */
  readonly longestSilence?: Ms;
}

const pageSize = 500;
const defaultSilence = 150_000;
/** The time limit for one page. */
const longestAnswer = 60_000;
/** The server ends a watch after this time, or after up to twice this time. */
const watchSeconds = 300;
/** A watch that ends sooner without an event counts as failed. */
const shortestWatch = 1_000;
const failedWatchesBeforeList = 4;
const backOff = { first: 500, longest: 30_000 };

export class Reflector<T extends Identified> {
  readonly #source: ListWatch<T>;
  readonly #observer: ReflectorObserver<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #longestSilence: Ms;
  readonly #store = new ReflectedStore<T>();
  readonly #startedAt: number;
  #lastSign: number | undefined;
  #isSynced = false;
  #obstacle: string | undefined;
  /** Failed lists and watches in a row. */
  #failures = 0;
  #isStarted = false;
  #isStopped = false;
  /** Interrupts the present request, watch or wait. */
  #interrupt: (why: Error) => void = () => undefined;

  constructor(source: ListWatch<T>, observer: ReflectorObserver<T>, deps: ReflectorDependencies) {
    this.#source = source;
    this.#observer = observer;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#longestSilence = deps.longestSilence ?? defaultSilence;
    this.#startedAt = deps.clock.now();
  }

  /** A second call does nothing. */
  start(): void {
    if (this.#isStarted || this.#isStopped) return;
    this.#isStarted = true;
    this.#run().catch((cause: unknown) => this.#observer.handlerFailed(cause));
  }

  stop(): void {
    this.#isStopped = true;
    this.#interrupt(new Error("stopped"));
  }

  get(key: ObjectKey): T | undefined {
    return this.#store.get(key);
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  /** Stores the answer to our own write, so that no decision uses the earlier state. The watch does not report it again. */
  learn(object: T): void {
    this.#report(this.#store.learn(object));
  }

  /** Whether a complete list was stored. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** The error of the last attempt; undefined: it succeeded. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** The time since the last answer of the server: a page, the start of a watch, an event or a bookmark. */
  get lastEventAge(): Ms {
    return this.#clock.now() - (this.#lastSign ?? this.#startedAt);
  }

  async #run(): Promise<void> {
    let from: string | undefined;
    let failedWatches = 0;
    while (!this.#isStopped) {
      try {
        from ??= await this.#list();
        from = await this.#watch(from);
        failedWatches = 0;
      } catch (cause) {
        if (this.#isStopped) return;
        const position = cause instanceof WatchFailed ? cause.from : undefined;
        failedWatches = position === undefined ? 0 : failedWatches + 1;
        const isForgotten = position === undefined || statusOf(cause) === 410 || isRefused(statusOf(cause));
        from = isForgotten || failedWatches % failedWatchesBeforeList === 0 ? undefined : position;
        await this.#pause(cause);
      }
    }
  }

  /** Returns the version of the list. If the server drops the list between two pages (410), it is requested in one page. */
  async #list(): Promise<string> {
    this.#store.listBegins();
    const page = await this.#pages().catch((cause: unknown) => {
      if (statusOf(cause) !== 410) throw cause;
      return this.#page({ limit: 0 });
    });
    if (this.#isStopped) throw new Error("stopped");
    for (const change of this.#store.replace(page.items)) this.#report(change);
    this.#isSynced = true;
    this.#obstacle = undefined;
    this.#guard(() => this.#observer.listed(page.items.length));
    return page.resourceVersion;
  }

  async #pages(): Promise<Page<T>> {
    let page = await this.#page({ limit: pageSize });
    const pages = [page.items];
    while (page.continue !== undefined && page.continue !== "") {
      page = await this.#page({ limit: pageSize, continue: page.continue });
      pages.push(page.items);
    }
    return { items: pages.flat(), resourceVersion: page.resourceVersion };
  }

  #page(page: { limit: number; continue?: string }): Promise<Page<T>> {
    return this.#withWatchdog(async (signal) => {
      const answer = await this.#source.list(page, signal);
      this.#lastSign = this.#clock.now();
      return answer;
    }, longestAnswer);
  }

  /** When the server ends the watch, returns the version of the last reported event. Throws `WatchFailed` otherwise. */
  async #watch(from: string): Promise<string> {
    const startedAt = this.#clock.now();
    let position = from;
    let isOpen = false;
    let hasEvents = false;
    const seconds = Math.round(watchSeconds * (1 + this.#random()));
    try {
      await this.#withWatchdog((signal, isAlive) => {
        const handlers = {
          opened: () => {
            if (signal.aborted) return;
            isOpen = true;
            this.#obstacle = undefined;
            isAlive();
          },
          on: (event: WatchEvent<T>) => {
            if (signal.aborted) return;
            isAlive();
            position = this.#handle(event) ?? position;
            isOpen = hasEvents = true;
            this.#failures = 0;
          },
        };
        return this.#source.watch(from, seconds, handlers, signal);
      }, this.#longestSilence);
    } catch (cause) {
      // Without events, not every API server sends bookmarks. If the connection is dead, the next watch does not open.
      if (!(cause instanceof Silence && isOpen)) throw new WatchFailed(position, cause);
    }
    const lasted = this.#clock.now() - startedAt;
    if (!hasEvents && lasted < shortestWatch)
      throw new WatchFailed(position, new Error(`the watch ended after ${lasted} ms without an event`));
    this.#failures = 0;
    return position;
  }

  /** Returns the version of the event. */
  #handle({ type, object }: WatchEvent<T>): string | undefined {
    switch (type) {
      case "ADDED":
      case "MODIFIED":
        this.#report(this.#store.put(object));
        break;
      case "DELETED":
        this.#report(this.#store.remove(object));
        break;
      case "BOOKMARK":
        break;
      case "ERROR":
        throw errorOf(object);
      default:
        throw new Error(`watch event of the type ${JSON.stringify(type)}`);
    }
    return object.metadata.resourceVersion;
  }

  #report(change: StoreChange<T> | undefined): void {
    if (change !== undefined) this.#guard(() => this.#observer.changed(change));
  }

  #guard(handler: () => void): void {
    if (this.#isStopped) return;
    try {
      handler();
    } catch (cause) {
      this.#observer.handlerFailed(cause);
    }
  }

  /** Runs `work`. Aborts it after `silence` without a sign of life, or at `stop`, and does not wait for it even if it ignores its signal. */
  async #withWatchdog<Result>(
    work: (signal: AbortSignal, isAlive: () => void) => Promise<Result>,
    silence: Ms,
  ): Promise<Result> {
    if (this.#isStopped) throw new Error("stopped");
    const controller = new AbortController();
    let lastSignAt = this.#clock.now();
    let cancel: () => void = () => undefined;
    const cut = new Promise<never>((_, reject) => {
      this.#interrupt = (why) => {
        controller.abort(why);
        reject(why);
      };
    });
    const check = (): void => {
      const silent = this.#clock.now() - lastSignAt;
      if (silent >= silence) this.#interrupt(new Silence(`silent for ${Math.round(silent / 1000)} s`));
      else cancel = this.#clock.after(silence - silent, check);
    };
    check();
    const isAlive = (): void => {
      lastSignAt = this.#clock.now();
      this.#lastSign = lastSignAt;
    };
    try {
      return await Promise.race([work(controller.signal, isAlive), cut]);
    } finally {
      cancel();
      this.#interrupt = () => undefined;
      controller.abort();
    }
  }

  /** The first 410 after a successful watch is no failure: the list follows at once. */
  async #pause(cause: unknown): Promise<void> {
    const isFirst410 = this.#failures === 0 && statusOf(cause) === 410;
    const delay = isFirst410 ? 0 : backOffDelay(backOff, this.#failures, this.#random);
    this.#failures += 1;
    const { message } = cause instanceof WatchFailed ? (cause.cause as Error) : (cause as Error);
    this.#obstacle = message;
    this.#guard(() => this.#observer.failed(cause instanceof WatchFailed ? cause.cause : cause, delay));
    if (delay === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(delay, resolve);
      this.#interrupt = () => {
        cancel();
        resolve();
      };
    });
    this.#interrupt = () => undefined;
  }
}

class Silence extends Error {}

/** A failed watch, with the version of its last reported event. */
class WatchFailed extends Error {
  override readonly name = "WatchFailed";
  readonly from: string;

  constructor(from: string, cause: unknown) {
    super("watch failed", { cause });
    this.from = from;
  }
}

/** The HTTP status in the answer; undefined: no answer. */
function statusOf(cause: unknown): number | undefined {
  const answer = cause instanceof WatchFailed ? cause.cause : cause;
  const status = (answer as { readonly status?: unknown } | undefined)?.status;
  return typeof status === "number" ? status : undefined;
}

/** The server will never serve this watch. After 429 and 5xx it may. */
const isRefused = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && status !== 429;

/** The `Status` of an ERROR event as an error. */
function errorOf(object: unknown): Error {
  const { code, message } = object as { readonly code?: unknown; readonly message?: unknown };
  return Object.assign(new Error(typeof message === "string" ? message : "the watch failed"), {
    status: typeof code === "number" ? code : 500,
  });
}
