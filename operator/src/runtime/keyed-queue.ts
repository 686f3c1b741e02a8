/**
 * A work queue of keys, after client-go's: a key waits at most once, and is never processed twice at the same time. A key that is added
 * during its processing is processed again afterwards. A failed key returns after an exponential back-off with jitter.
 *
 * Each priority has a line of keys. The first line that is not empty is served. After eight keys in a row, the lines behind it get one key.
 * So many keys of one priority delay the others by no more than that, and no line waits forever.
 */
import { backOffDelay, type BackOff } from "./back-off.ts";
import type { Clock, Ms } from "./clock.ts";

/**
 * The reasons to wait, the most urgent first: a service has to end (deletion, switched-off object, earlier password), the object was edited,
 * a dependency changed, the object is new, a periodic resync.
 */
export const priorities = ["revocation", "edit", "dependency", "creation", "resync"] as const;
export type Priority = (typeof priorities)[number];

/** The number of keys that one line gets in a row while other lines wait. */
const inARow = 8;

/** For metrics. */
export interface QueueObserver {
  added(): void;
  /** `waited`: the time from `add` to `take`. */
  taken(waited: Ms): void;
  finished(worked: Ms): void;
  retried(): void;
  /** Called once by the queue. `underWay` returns how long each key in progress is being processed. */
  attached?(underWay: () => readonly Ms[]): void;
}

interface Delayed {
  readonly due: number;
  readonly priority: Priority;
  readonly cancel: () => void;
}

interface Line<Key> {
  /** Insertion order is the order of work; the value is when the key was added. */
  readonly keys: Map<Key, number>;
  /** Keys taken in a row while a line behind it waited. */
  inARow: number;
}

export class KeyedQueue<Key extends string> {
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  readonly #observer: QueueObserver | undefined;
  readonly #random: () => number;
  /** In the order of `priorities`; no key is in two. */
  readonly #lines: readonly Line<Key>[] = priorities.map(() => ({ keys: new Map<Key, number>(), inARow: 0 }));
  readonly #working = new Map<Key, { readonly since: number; readonly priority: Priority }>();
  /** Keys that were added while they were in progress. */
  readonly #again = new Map<Key, Priority>();
  readonly #delayed = new Map<Key, Delayed>();
  readonly #failures = new Map<Key, number>();
  #onReady: () => void = () => undefined;

  constructor(clock: Clock, backOff: BackOff, random: () => number, observer?: QueueObserver) {
    this.#clock = clock;
    this.#backOff = backOff;
    this.#random = random;
    this.#observer = observer;
    observer?.attached?.(() => [...this.#working.values()].map(({ since }) => clock.now() - since));
  }

  /** `onReady` is called whenever a key can be taken. */
  listen(onReady: () => void): void {
    this.#onReady = onReady;
  }

  /** The number of waiting keys, without delayed keys. */
  get depth(): number {
    return this.#lines.reduce((sum, { keys }) => sum + keys.size, 0);
  }

  /** A waiting key moves to a more urgent priority, and never to a less urgent one. */
  add(key: Key, priority: Priority = "edit"): void {
    this.#cancelDelay(key);
    if (this.#working.has(key)) {
      this.#again.set(key, moreUrgent(this.#again.get(key), priority));
      return;
    }
    const rank = priorities.indexOf(priority);
    const waits = this.#lines.findIndex(({ keys }) => keys.has(key));
    if (waits !== -1 && waits <= rank) return;
    const since = this.#lines[waits]?.keys.get(key);
    this.#lines[waits]?.keys.delete(key);
    this.#lines[rank]?.keys.set(key, since ?? this.#clock.now());
    if (since === undefined) this.#observer?.added();
    this.#onReady();
  }

  /** Adds the key to the last line, unless it waits or is in progress. A delay of the key stays. */
  addBehind(key: Key): void {
    if (this.#working.has(key) || this.#lines.some(({ keys }) => keys.has(key))) return;
    this.#lines.at(-1)?.keys.set(key, this.#clock.now());
    this.#observer?.added();
    this.#onReady();
  }

  /** Adds the key after `delay`, unless it is due earlier. Without `given`, a key in progress keeps its priority. */
  addAfter(key: Key, delay: Ms, given?: Priority): void {
    const priority = given ?? this.#working.get(key)?.priority ?? "edit";
    if (delay <= 0) {
      this.add(key, priority);
      return;
    }
    const due = this.#clock.now() + delay;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.due <= due) return;
    pending?.cancel();
    const cancel = this.#clock.after(delay, () => this.add(key, priority));
    this.#delayed.set(key, { due, priority, cancel });
  }

  /** Returns the next key; undefined: none waits. Call `done` for each taken key. */
  take(): Key | undefined {
    const rank = this.#nextLine();
    const line = this.#lines[rank];
    const next = line?.keys.entries().next().value;
    if (line === undefined || next === undefined) return undefined;
    const [key, addedAt] = next;
    line.keys.delete(key);
    this.#working.set(key, { since: this.#clock.now(), priority: priorities[rank] ?? "edit" });
    this.#observer?.taken(this.#clock.now() - addedAt);
    return key;
  }

  /** The key was processed without an error: its failures are reset. */
  forget(key: Key): void {
    this.#failures.delete(key);
  }

  /** The key failed: it returns after the back-off, half of which is jitter. Returns the delay. */
  retry(key: Key): Ms {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delay = backOffDelay(this.#backOff, failures, this.#random);
    this.#observer?.retried();
    this.addAfter(key, delay);
    return delay;
  }

  done(key: Key): void {
    const work = this.#working.get(key);
    if (work === undefined) return;
    this.#working.delete(key);
    this.#observer?.finished(this.#clock.now() - work.since);
    const again = this.#again.get(key);
    if (again === undefined) return;
    this.#again.delete(key);
    this.add(key, again);
  }

  /** Removes all waiting keys. Work in progress may still end. */
  clear(): void {
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const { keys } of this.#lines) keys.clear();
    this.#again.clear();
  }

  /** The index of the line to take from; -1: all are empty. */
  #nextLine(): number {
    for (const [rank, line] of this.#lines.entries()) {
      if (line.keys.size === 0) {
        line.inARow = 0;
        continue;
      }
      const others = this.#lines.slice(rank + 1).some(({ keys }) => keys.size > 0);
      if (others && line.inARow >= inARow) {
        line.inARow = 0;
        continue;
      }
      line.inARow = others ? line.inARow + 1 : 0;
      return rank;
    }
    return -1;
  }

  #cancelDelay(key: Key): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }
}

const moreUrgent = (one: Priority | undefined, other: Priority): Priority =>
  one !== undefined && priorities.indexOf(one) < priorities.indexOf(other) ? one : other;
