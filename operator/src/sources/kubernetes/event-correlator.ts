/**
 * Decides which Events to write, like client-go's EventCorrelator. A repeated Event increases the count of the earlier one. A token bucket
 * limits the Events of each object. No input and no output.
 */
import type { Ms } from "../../runtime/clock.ts";

type EventPlan =
  | { readonly do: "create"; readonly name: string }
  | { readonly do: "count"; readonly name: string; readonly count: number }
  | { readonly do: "drop" };

interface RecentEvent {
  readonly name: string;
  count: number;
  lastAt: Ms;
}

interface Bucket {
  tokens: number;
  filledAt: Ms;
}

/** After this time a repeated Event is a new one: the API server deletes Events after an hour. */
const repeatWindowMs = 10 * 60_000;
/** The token bucket of one object: its size, and the time after which it gets one more token. */
const burst = 25;
const refillMs = 60_000;
const maxEntries = 4_096;

export class EventCorrelator {
  readonly #recentEvents = new Map<string, RecentEvent>();
  readonly #buckets = new Map<string, Bucket>();

  /** Events with the same `uid` and `content` are the same. The name of a new Event begins with `objectName`. */
  plan(uid: string, objectName: string, content: string, now: Ms): EventPlan {
    if (!this.#takeToken(uid, now)) return { do: "drop" };
    const key = `${uid} ${content}`;
    const before = this.#recentEvents.get(key);
    if (before !== undefined && now - before.lastAt < repeatWindowMs) {
      before.count += 1;
      before.lastAt = now;
      return { do: "count", name: before.name, count: before.count };
    }
    const name = `${objectName.slice(0, 230)}.${hash(`${key} ${now}`)}`;
    addAndTrim(this.#recentEvents, key, { name, count: 1, lastAt: now });
    return { do: "create", name };
  }

  /** The Event does not exist any more: the next one is a new Event. */
  forget(uid: string, content: string): void {
    this.#recentEvents.delete(`${uid} ${content}`);
  }

  #takeToken(uid: string, now: Ms): boolean {
    const bucket = this.#buckets.get(uid) ?? { tokens: burst, filledAt: now };
    const gained = Math.floor((now - bucket.filledAt) / refillMs);
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.filledAt += gained * refillMs;
    addAndTrim(this.#buckets, uid, bucket);
    if (bucket.tokens === 0) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** Adds an entry as the newest one, and deletes the oldest if there are too many. */
function addAndTrim<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > maxEntries && oldest !== undefined) map.delete(oldest);
}

/** FNV-1a with 64 bits. It only has to make names different. */
function hash(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  return value.toString(16).padStart(16, "0");
}
