/**
 * Whether the database answers, by polls of it (P7). It is away when a poll has no answer for a second, or when two polls in a row failed: a
 * single lost connection says nothing about the server.
 *
 * Waiting is counted in ticks. A process that was stopped and continues finds its timers expired before it reads the answers that arrived: this
 * must not look like a database that does not answer. Pure.
 */
import type { Ms } from "../wire/units.ts";
import type { Recovery } from "./after-outage.ts";

const pollInterval: Ms = 400;
const maxWait: Ms = 1_000;
/** The longest time that one tick counts for. */
const maxTick: Ms = 100;
/** While the database is away, no binding expires for this time. */
export const maxFrozen: Ms = 3_600_000;
/** After an outage, phones have this time to refresh what expired during it. Many phones repeat a refused REGISTER after a minute. */
export const recoveryTime: Ms = 120_000;

export class StoreHealth {
  /** Statements were refused or not answered in time: others are not tried. */
  hasFailed = false;
  /** Why; undefined: no poll has failed. */
  cause: unknown;
  private isPolling = false;
  private isDue = true;
  private startedAt: Ms = 0;
  private waited: Ms = 0;
  private failures = 0;
  private tickedAt: Ms = 0;
  private awaySince: Ms | undefined;
  private lastOutage: { readonly expiryTime: Ms; readonly end: Ms } | undefined;

  get isAway(): boolean {
    return this.awaySince !== undefined;
  }

  /** Whether to poll now. The caller then calls `answered` or `failed`. */
  advance(now: Ms): boolean {
    const passed = Math.min(now - this.tickedAt, maxTick);
    this.tickedAt = now;
    if (this.isPolling) {
      this.waited += passed;
      if (this.waited >= maxWait) this.awaySince ??= now;
      return false;
    }
    if (!this.isDue && now - this.startedAt < pollInterval) return false;
    this.isPolling = true;
    this.isDue = false;
    this.startedAt = now;
    this.waited = 0;
    return true;
  }

  /** A statement failed: a poll will show whether the database is away. */
  suspect(): void {
    this.isDue = true;
  }

  /** Returns whether the database was away until now. */
  answered(now: Ms): boolean {
    const wasAway = this.isAway;
    if (wasAway) this.lastOutage = { expiryTime: this.expiryTime(now), end: now };
    this.isPolling = false;
    this.hasFailed = false;
    this.failures = 0;
    this.cause = undefined;
    this.awaySince = undefined;
    return wasAway;
  }

  failed(cause: unknown, now: Ms): void {
    this.isPolling = false;
    this.failures += 1;
    this.cause = cause;
    if (this.failures === 1 && !this.isAway) this.isDue = true;
    if (this.failures < 2 && !this.isAway) return;
    this.hasFailed = true;
    this.awaySince ??= now;
  }

  /** The time by which bindings expire: it stands still while the database is away, for an hour at most. */
  expiryTime(now: Ms): Ms {
    return this.awaySince === undefined ? now : Math.max(this.awaySince, now - maxFrozen);
  }

  /** Undefined: the phones had time to refresh their bindings since the last outage. */
  recovery(now: Ms): Recovery | undefined {
    if (this.lastOutage === undefined) return undefined;
    const { expiryTime, end } = this.lastOutage;
    const left = end + recoveryTime - now;
    return left > 0 ? { expiryTime, left } : undefined;
  }
}
