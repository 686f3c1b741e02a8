/**
 * The budgets of sources: token buckets by address and class of request. A source from which somebody authenticated is trusted for a day.
 *
 *   stranger, within its budget   admitted
 *   stranger, above it            refused
 *   trusted, above its budget     admitted while this node has room: 5,000 phones behind one address register at the pace of the node
 *
 * Both tables are bounded. Strangers displace strangers only, the least recently used first. Source addresses of UDP can be forged, so the
 * table of strangers protects against simple floods only; `load-monitor.ts` and `register-queue.ts` protect against all others. Pure.
 */
import type { Ms } from "../wire/units.ts";
import { sourceOf } from "./source-of.ts";

/** Requests per second of one source. A burst may have as many as `burstSeconds` allow. */
export interface SourceLimits {
  readonly register: number;
  readonly call: number;
  readonly other: number;
}

export type BudgetName = keyof SourceLimits | "refusal";

const burstSeconds = 10;
/**
 * Answers to requests for domains that are not served. A new user with a typing mistake needs a few; a scanner sends thousands.
 */
const refusalRate = 0.2;
const refusalBurst = 20;

export const defaultSourceLimits: SourceLimits = { register: 200, call: 100, other: 200 };

const trustedFor: Ms = 86_400_000;

interface Source {
  readonly tokens: Record<BudgetName, number>;
  refilledAt: Ms;
  trustedUntil: Ms;
}

export class Sources {
  limits: SourceLimits;
  /** In the order of their last use. */
  readonly #strangers = new Map<string, Source>();
  readonly #trusted = new Map<string, Source>();
  readonly #maxSources: number;

  /** `maxSources`: of each table. */
  constructor(limits: SourceLimits = defaultSourceLimits, maxSources = 50_000) {
    this.limits = limits;
    this.#maxSources = maxSources;
  }

  get sizes(): { readonly strangers: number; readonly trusted: number } {
    return { strangers: this.#strangers.size, trusted: this.#trusted.size };
  }

  /** Takes one token; false: the budget is used up. */
  take(address: string, budget: BudgetName, now: Ms): boolean {
    const { tokens } = this.#use(sourceOf(address), now);
    if (tokens[budget] < 1) return false;
    tokens[budget] -= 1;
    return true;
  }

  /** Somebody authenticated from this address. The entry moves to the most recently used place at most twice a day. */
  trust(address: string, now: Ms): void {
    const key = sourceOf(address);
    if ((this.#trusted.get(key)?.trustedUntil ?? 0) > now + trustedFor / 2) return;
    const source = this.#trusted.get(key) ?? this.#strangers.get(key) ?? this.#full(now);
    source.trustedUntil = now + trustedFor;
    this.#strangers.delete(key);
    this.#trusted.delete(key); // it becomes the most recently used
    this.#trusted.set(key, source);
    forgetOldest(this.#trusted, this.#maxSources);
  }

  isTrusted(address: string, now: Ms): boolean {
    return (this.#trusted.get(sourceOf(address))?.trustedUntil ?? 0) > now;
  }

  #use(key: string, now: Ms): Source {
    const trusted = this.#trusted.get(key);
    if (trusted !== undefined && trusted.trustedUntil > now) return this.#refill(trusted, now);
    if (trusted !== undefined) this.#trusted.delete(key);
    const source = trusted ?? this.#strangers.get(key) ?? this.#full(now);
    this.#strangers.delete(key);
    this.#strangers.set(key, source);
    forgetOldest(this.#strangers, this.#maxSources);
    return this.#refill(source, now);
  }

  #full(now: Ms): Source {
    const { register, call, other } = this.limits;
    const tokens = {
      register: register * burstSeconds,
      call: call * burstSeconds,
      other: other * burstSeconds,
      refusal: refusalBurst,
    };
    return { tokens, refilledAt: now, trustedUntil: 0 };
  }

  #refill(source: Source, now: Ms): Source {
    const { tokens } = source;
    const { register, call, other } = this.limits;
    const seconds = Math.max(0, now - source.refilledAt) / 1000;
    source.refilledAt = now;
    tokens.register = Math.min(register * burstSeconds, tokens.register + seconds * register);
    tokens.call = Math.min(call * burstSeconds, tokens.call + seconds * call);
    tokens.other = Math.min(other * burstSeconds, tokens.other + seconds * other);
    tokens.refusal = Math.min(refusalBurst, tokens.refusal + seconds * refusalRate);
    return source;
  }
}

function forgetOldest(table: Map<string, unknown>, limit: number): void {
  if (table.size <= limit) return;
  const oldest = table.keys().next();
  if (oldest.done !== true) table.delete(oldest.value);
}
