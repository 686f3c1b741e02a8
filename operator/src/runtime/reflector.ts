/**
 * Holds what the API server holds of one type: lists it page by page, watches it from there on, and tells each change. It knows no client:
 * `list` and `watch` are handed in.
 *
 * It never ends by itself. Whatever fails is tried again after a back-off with chance in it; what the API server no longer remembers (410)
 * is listed anew, as is everything after some watches that failed in a row; a watch on which nothing comes, not even a bookmark, is cut and
 * begun again, since nobody tells of a connection that died in silence. After `stop` nothing is asked and nothing is told.
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
  /** Where the next page begins; absent or empty: this was the last one. */
  readonly continue?: string;
}

/** As the API server sends it; the object of an ERROR is a `Status`, the one of a BOOKMARK has a resource version and nothing else. */
export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

/** What may be asked of the server. Both throw an error with the HTTP `status` where the server said one. */
export interface ListWatch<T> {
  /** `limit` 0: everything at once. */
  list(page: { readonly limit: number; readonly continue?: string }, signal: AbortSignal): Promise<Page<T>>;
  /** Calls `opened` as soon as the server accepts, then `on` for each event; resolves when the server ends the watch. */
  watch(
    from: string,
    timeoutSeconds: number,
    told: { opened(): void; on(event: WatchEvent<T>): void },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface ReflectorObserver<T> {
  changed(change: StoreChange<T>): void;
  /** A list is taken in, its changes are told. */
  listed(objects: number): void;
  failed(cause: unknown, retryIn: Ms): void;
  /** A handler of `changed` or `listed` threw; all else goes on. */
  handlerFailed(cause: unknown): void;
}

export interface ReflectorOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** After this time without an event or a bookmark a watch is begun again; bookmarks come about once a minute. */
  readonly longestSilence?: Ms;
}

const pageSize = 500;
const defaultSilence = 150_000;
/** A page or the beginning of a watch takes no longer. */
const longestAnswer = 60_000;
/** The server ends a watch after this time, or up to twice as much. */
const watchSeconds = 300;
/** A watch that ends sooner without an event was no watch. */
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
  /** In a row, of lists and watches. */
  #failures = 0;
  #isStarted = false;
  #isStopped = false;
  /** Ends what is under way: a request, a watch, or the wait before the next. */
  #interrupt: (why: Error) => void = () => undefined;

  constructor(source: ListWatch<T>, observer: ReflectorObserver<T>, options: ReflectorOptions) {
    this.#source = source;
    this.#observer = observer;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#longestSilence = options.longestSilence ?? defaultSilence;
    this.#startedAt = options.clock.now();
  }

  /** Once; a second call does nothing. */
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

  /** Takes in the answer to a write of our own, so that nobody decides by what was before. The watch does not tell it again. */
  learn(object: T): void {
    this.#tell(this.#store.learn(object));
  }

  /** Whether everything was listed once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Why the last attempt failed, if it did. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** Since the server last said anything: a page, the beginning of a watch, an event or a bookmark. */
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

  /** Returns the version that the list shows. A list that the server forgets between its pages (410) is asked for at once as a whole. */
  async #list(): Promise<string> {
    this.#store.listBegins();
    const page = await this.#pages().catch((cause: unknown) => {
      if (statusOf(cause) !== 410) throw cause;
      return this.#page({ limit: 0 });
    });
    if (this.#isStopped) throw new Error("stopped");
    for (const change of this.#store.replace(page.items)) this.#tell(change);
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

  /** Returns the version up to which everything was told, when the server ends the watch. Throws `WatchFailed` otherwise. */
  async #watch(from: string): Promise<string> {
    const startedAt = this.#clock.now();
    let position = from;
    let isOpen = false;
    let hasEvents = false;
    const seconds = Math.round(watchSeconds * (1 + this.#random()));
    try {
      await this.#withWatchdog((signal, isAlive) => {
        const told = {
          opened: () => {
            if (signal.aborted) return;
            isOpen = true;
            this.#obstacle = undefined;
            isAlive();
          },
          on: (event: WatchEvent<T>) => {
            if (signal.aborted) return;
            isAlive();
            position = this.#take(event) ?? position;
            isOpen = hasEvents = true;
            this.#failures = 0;
          },
        };
        return this.#source.watch(from, seconds, told, signal);
      }, this.#longestSilence);
    } catch (cause) {
      // Where nothing happens, not every API server sends bookmarks. If the connection is dead, the next watch does not even begin.
      if (!(cause instanceof Silence && isOpen)) throw new WatchFailed(position, cause);
    }
    const lasted = this.#clock.now() - startedAt;
    if (!hasEvents && lasted < shortestWatch)
      throw new WatchFailed(position, new Error(`the watch ended after ${lasted} ms without an event`));
    this.#failures = 0;
    return position;
  }

  /** Returns the version that the event tells. */
  #take({ type, object }: WatchEvent<T>): string | undefined {
    switch (type) {
      case "ADDED":
      case "MODIFIED":
        this.#tell(this.#store.put(object));
        break;
      case "DELETED":
        this.#tell(this.#store.remove(object));
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

  #tell(change: StoreChange<T> | undefined): void {
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

  /** Runs `work`, and aborts and leaves it when nothing was heard for `silence`, or at `stop`, whether it heeds its signal or not. */
  async #withWatchdog<Result>(
    work: (signal: AbortSignal, isAlive: () => void) => Promise<Result>,
    silence: Ms,
  ): Promise<Result> {
    if (this.#isStopped) throw new Error("stopped");
    const controller = new AbortController();
    let heardAt = this.#clock.now();
    let cancel: () => void = () => undefined;
    const cut = new Promise<never>((_, reject) => {
      this.#interrupt = (why) => {
        controller.abort(why);
        reject(why);
      };
    });
    const check = (): void => {
      const silent = this.#clock.now() - heardAt;
      if (silent >= silence) this.#interrupt(new Silence(`silent for ${Math.round(silent / 1000)} s`));
      else cancel = this.#clock.after(silence - silent, check);
    };
    check();
    const isAlive = (): void => {
      heardAt = this.#clock.now();
      this.#lastSign = heardAt;
    };
    try {
      return await Promise.race([work(controller.signal, isAlive), cut]);
    } finally {
      cancel();
      this.#interrupt = () => undefined;
      controller.abort();
    }
  }

  /** The first 410 after a watch that went well is no failure: it is listed at once. */
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

/** A watch that did not end well, and up to which version it told everything. */
class WatchFailed extends Error {
  override readonly name = "WatchFailed";
  readonly from: string;

  constructor(from: string, cause: unknown) {
    super("watch failed", { cause });
    this.from = from;
  }
}

/** The HTTP status that the server said; undefined where it said none. */
function statusOf(cause: unknown): number | undefined {
  const said = cause instanceof WatchFailed ? cause.cause : cause;
  const status = (said as { readonly status?: unknown } | undefined)?.status;
  return typeof status === "number" ? status : undefined;
}

/** The watch as it was asked for will never be served; what is merely busy or broken (429, 5xx) may be. */
const isRefused = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && status !== 429;

/** The `Status` of an ERROR event as an error. */
function errorOf(object: unknown): Error {
  const { code, message } = object as { readonly code?: unknown; readonly message?: unknown };
  return Object.assign(new Error(typeof message === "string" ? message : "the watch failed"), {
    status: typeof code === "number" ? code : 500,
  });
}
