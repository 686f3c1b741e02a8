/**
 * A work queue of keys, after client-go's: a key waits at most once, is never worked on twice at the same time, and one that is added
 * while it is worked on is worked on again afterwards. A key that failed comes back after an exponential back-off with jitter.
 * What is only looked at again (a resync) waits in a second line, behind everything that changed.
 */
import { backOffDelay, type BackOff } from "./back-off.ts";
import type { Clock, Ms } from "./clock.ts";

/** Told about the queue's life, for metrics. */
export interface QueueObserver {
  added(): void;
  /** `waited`: from being added to being taken. */
  taken(waited: Ms): void;
  finished(worked: Ms): void;
  retried(): void;
  /** Called once, by the queue: how long each key that is worked on has been worked on so far. */
  attached?(underWay: () => readonly Ms[]): void;
}

export class KeyedQueue<Key extends string> {
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  readonly #observer: QueueObserver | undefined;
  readonly #random: () => number;
  /** Insertion order is the order of work; the value is when the key was added. */
  readonly #waiting = new Map<Key, number>();
  /** The second line; no key is in both. */
  readonly #behind = new Map<Key, number>();
  readonly #working = new Map<Key, number>();
  /** Keys added while they were worked on. */
  readonly #again = new Set<Key>();
  readonly #delayed = new Map<Key, { readonly due: number; readonly cancel: () => void }>();
  readonly #failures = new Map<Key, number>();
  #onReady: () => void = () => undefined;

  constructor(clock: Clock, backOff: BackOff, random: () => number, observer?: QueueObserver) {
    this.#clock = clock;
    this.#backOff = backOff;
    this.#random = random;
    this.#observer = observer;
    observer?.attached?.(() => [...this.#working.values()].map((since) => clock.now() - since));
  }

  /** `onReady` is called whenever a key can be taken. */
  listen(onReady: () => void): void {
    this.#onReady = onReady;
  }

  /** Keys that wait, without the ones that wait for a time. */
  get depth(): number {
    return this.#waiting.size + this.#behind.size;
  }

  add(key: Key): void {
    this.#cancelDelay(key);
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    const since = this.#behind.get(key);
    this.#behind.delete(key);
    this.#waiting.set(key, since ?? this.#clock.now());
    if (since === undefined) this.#observer?.added();
    this.#onReady();
  }

  /** Adds the key to the second line, unless it waits or is due soon anyway; its delay, if it has one, stays. */
  addBehind(key: Key): void {
    if (this.#working.has(key) || this.#waiting.has(key) || this.#behind.has(key)) return;
    this.#behind.set(key, this.#clock.now());
    this.#observer?.added();
    this.#onReady();
  }

  /** Adds the key after `delay`, unless it is due earlier anyway. */
  addAfter(key: Key, delay: Ms): void {
    if (delay <= 0) {
      this.add(key);
      return;
    }
    const due = this.#clock.now() + delay;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.due <= due) return;
    pending?.cancel();
    this.#delayed.set(key, { due, cancel: this.#clock.after(delay, () => this.add(key)) });
  }

  /** The next key to work on; undefined when none waits. Each taken key ends with `done`. */
  take(): Key | undefined {
    const line = this.#waiting.size > 0 ? this.#waiting : this.#behind;
    const next = line.entries().next().value;
    if (next === undefined) return undefined;
    const [key, addedAt] = next;
    line.delete(key);
    this.#working.set(key, this.#clock.now());
    this.#observer?.taken(this.#clock.now() - addedAt);
    return key;
  }

  /** Work on the key went well: its failures are forgotten. */
  forget(key: Key): void {
    this.#failures.delete(key);
  }

  /** Work on the key failed: it comes back after the back-off, half of which is jitter. Returns the delay. */
  retry(key: Key): Ms {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delay = backOffDelay(this.#backOff, failures, this.#random);
    this.#observer?.retried();
    this.addAfter(key, delay);
    return delay;
  }

  done(key: Key): void {
    const since = this.#working.get(key);
    if (since === undefined) return;
    this.#working.delete(key);
    this.#observer?.finished(this.#clock.now() - since);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Forgets everything that waits; work under way may still end. */
  clear(): void {
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#behind.clear();
    this.#again.clear();
  }

  #cancelDelay(key: Key): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }
}
