/**
 * Which Events to write: what was said of an object before is counted, not said again, and one object does not fill the API server. No
 * input and no output.
 */
import type { Ms } from "../../runtime/clock.ts";

export type EventPlan =
  | { readonly do: "create"; readonly name: string }
  | { readonly do: "count"; readonly name: string; readonly count: number }
  | { readonly do: "drop" };

interface Said {
  readonly name: string;
  count: number;
  lastAt: Ms;
}

interface Bucket {
  tokens: number;
  filledAt: Ms;
}

/** What was said longer ago is said anew: the API server forgets Events after an hour. */
const sameFor = 10 * 60_000;
/** Of one object: so many at once, and one more in each such time. */
const burst = 25;
const refill = 60_000;
const mostKept = 4_096;

export class EventLedger {
  readonly #said = new Map<string, Said>();
  readonly #buckets = new Map<string, Bucket>();

  /** `what` is everything that makes two Events the same. `objectName` begins the name of a new one. */
  plan(uid: string, objectName: string, what: string, now: Ms): EventPlan {
    if (!this.#spend(uid, now)) return { do: "drop" };
    const key = `${uid} ${what}`;
    const before = this.#said.get(key);
    if (before !== undefined && now - before.lastAt < sameFor) {
      before.count += 1;
      before.lastAt = now;
      return { do: "count", name: before.name, count: before.count };
    }
    const name = `${objectName.slice(0, 230)}.${hash(`${key} ${now}`)}`;
    keep(this.#said, key, { name, count: 1, lastAt: now });
    return { do: "create", name };
  }

  /** The Event of that name is gone: next time it is said anew. */
  forget(uid: string, what: string): void {
    this.#said.delete(`${uid} ${what}`);
  }

  #spend(uid: string, now: Ms): boolean {
    const bucket = this.#buckets.get(uid) ?? { tokens: burst, filledAt: now };
    const gained = Math.floor((now - bucket.filledAt) / refill);
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.filledAt += gained * refill;
    keep(this.#buckets, uid, bucket);
    if (bucket.tokens === 0) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** The oldest go. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > mostKept && oldest !== undefined) map.delete(oldest);
}

/** 64 bits by FNV-1a: names differ, nothing more is asked of it. */
function hash(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  return value.toString(16).padStart(16, "0");
}
