/**
 * Penalties for wrong passwords. A password that is right is always accepted: credentials are checked before a penalty applies, and a penalty
 * of one flow does not apply to another flow behind the same address.
 *
 *   flow            after 20 failures its next requests are dropped for 0.5 s, 1 s, ... at most 8 s, unless it is an authenticated flow
 *   source and user after 30 failures a wrong password for this user gets no answer
 *   source          after 100 failures no wrong password gets an answer, and the source has no privilege of a trusted one
 *
 * A phone with an old password that tries every 30 seconds stays below all of them. Failures count half after a minute. The table is bounded;
 * the entry whose last failure is oldest is forgotten first, and a success removes the entry of its flow. Pure.
 */
import { hash } from "node:crypto";
import type { Flow } from "../wire/flow.ts";
import type { FailedLogin } from "../wire/rejection.ts";
import type { Ms } from "../wire/units.ts";
import { sourceOf } from "./source-of.ts";

const halfLife: Ms = 60_000;
/** baresip 1.0 answers each challenge by itself, ten times and more, before it shows its user that the password is wrong. */
const flowFailures = 20;
const userFailures = 30;
const sourceFailures = 100;
const firstDelay: Ms = 500;
/** A phone retransmits for 32 s: a corrected password on the same flow is accepted within one transaction. */
const maxDelay: Ms = 8_000;

interface Failures {
  readonly count: number;
  readonly at: Ms;
  /** The one that failed last. */
  readonly attempt: string;
}

export class FailedLogins {
  /** All wrong passwords so far. */
  total = 0;
  /** In the order of the last failure. */
  readonly #table = new Map<string, Failures>();
  readonly #limit: number;

  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Returns whether the wrong password is answered. A retransmission of the last one of this flow counts once. */
  failed(flow: Flow, { user, response }: FailedLogin, now: Ms): boolean {
    const source = sourceOf(flow.address);
    const ofUserKey = digestOf(`${source} ${user}`);
    const attempt = digestOf(response);
    if (this.#table.get(flow.key)?.attempt !== attempt) {
      this.total += 1;
      for (const key of [flow.key, ofUserKey, source]) this.#add(key, attempt, now);
    }
    return this.#count(ofUserKey, now) < userFailures && this.#count(source, now) < sourceFailures;
  }

  /** Somebody authenticated on this flow. */
  succeeded({ key }: Flow): void {
    if (this.#table.size > 0) this.#table.delete(key);
  }

  /** Whether requests of this flow are dropped now. */
  isDelayed({ key }: Flow, now: Ms): boolean {
    const failures = this.#table.get(key);
    if (failures === undefined) return false;
    const excess = Math.floor(failures.count - flowFailures);
    return excess >= 0 && now < failures.at + Math.min(maxDelay, firstDelay * 2 ** Math.min(excess, 10));
  }

  isPenalized(address: string, now: Ms): boolean {
    return this.#table.size > 0 && this.#count(sourceOf(address), now) >= sourceFailures;
  }

  #count(key: string, now: Ms): number {
    const failures = this.#table.get(key);
    return failures === undefined ? 0 : failures.count * 2 ** (-(now - failures.at) / halfLife);
  }

  #add(key: string, attempt: string, now: Ms): void {
    const count = this.#count(key, now) + 1;
    this.#table.delete(key); // it becomes the newest
    this.#table.set(key, { count, at: now, attempt });
    if (this.#table.size <= this.#limit) return;
    const oldest = this.#table.keys().next();
    if (oldest.done !== true) this.#table.delete(oldest.value);
  }
}

/** The sender's text may be long, and a part of a message keeps the whole message in memory. */
const digestOf = (text: string): string => hash("md5", text, "base64");
