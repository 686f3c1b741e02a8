/**
 * Notices overload before latency grows, from the lag of the event loop and the part of the time in which it works (design-sip rule 24).
 *
 *   normal ──► busy         the loop works 95 % of the time, or is late by 20 ms: requests above a budget are dropped
 *   busy ────► saturated    for 0.5 s, REGISTERs have their smallest share and the loop still works 98 % of the time, or is late by 250 ms:
 *                           requests of strangers are dropped, so that a flood of them never costs a call of a known phone
 *   saturated ► overloaded  the same for 3 s, although strangers are dropped: new calls are handed to peers, then refused
 *
 * A process that reads a bounded number of datagrams in each turn of its loop is never late for long: what waits is in the socket's buffer.
 * So lag alone does not show that datagrams wait; a loop without idle time does.
 *
 * The rate of REGISTERs follows the load: it falls by a fifth in each busy interval and grows in each other one. Pure.
 */
import type { Ms } from "../wire/units.ts";

/** In ascending order. */
export const loadLevels = ["normal", "busy", "saturated", "overloaded"] as const;
export type LoadLevel = (typeof loadLevels)[number];

/** New REGISTERs per second. A phone sends two: its first one is challenged. `most` is more than a node can serve. */
export const registerRates = { least: 100, most: 40_000 } as const;

const intervalLength: Ms = 100;
const busyAt = { utilization: 0.95, lag: 20 } as const;
const overloadedAt = { utilization: 0.98, lag: 250 } as const;
const calmBelow = 0.9;
const saturatedAfter: Ms = 500;
const overloadedAfter: Ms = 3_000;
const calmAfter: Ms = 300;

export class LoadMonitor {
  level: LoadLevel = "normal";
  /** REGISTERs that may start in a second. */
  registerRate: number = registerRates.most;
  /** REGISTERs that started since the interval began. */
  private started = 0;
  private intervalBegan: Ms;
  private sampledAt: Ms;
  private worked: Ms = 0;
  private lag: Ms = 0;
  private samples = 0;
  private saturatedSince: Ms | undefined;
  private calmSince: Ms | undefined;
  private busyIntervals = 0;

  constructor(now: Ms) {
    this.intervalBegan = this.sampledAt = now;
  }

  registerStarted(): void {
    this.started += 1;
  }

  /** Call it every 10 to 50 ms. `lag`: how late the call is. `utilization`: the part of the time since the last call in which the loop worked. */
  add(lag: Ms, utilization: number, now: Ms): void {
    this.worked += utilization * Math.max(0, now - this.sampledAt);
    this.lag += lag;
    this.samples += 1;
    this.sampledAt = now;
    if (now - this.intervalBegan >= intervalLength) this.endInterval(now);
  }

  private endInterval(now: Ms): void {
    const length = now - this.intervalBegan;
    const utilization = this.worked / length;
    const lag = this.lag / this.samples;
    const isBusy = utilization >= busyAt.utilization || lag >= busyAt.lag;
    this.busyIntervals = isBusy ? this.busyIntervals + 1 : 0;
    this.adaptRegisterRate(isBusy, length);
    const hasLeastRegisters = this.registerRate === registerRates.least;
    const isSaturated =
      (utilization >= overloadedAt.utilization && hasLeastRegisters) || lag >= overloadedAt.lag;
    this.adaptLevel(isSaturated, utilization < calmBelow && lag < busyAt.lag, now);
    this.intervalBegan = now;
    this.worked = this.lag = this.samples = this.started = 0;
  }

  private adaptRegisterRate(isBusy: boolean, length: Ms): void {
    const observed = (this.started * 1000) / length;
    this.registerRate = isBusy
      ? Math.max(registerRates.least, Math.min(this.registerRate, observed) * 0.8)
      : Math.min(registerRates.most, this.registerRate * 1.25);
  }

  private adaptLevel(isSaturated: boolean, isCalm: boolean, now: Ms): void {
    this.saturatedSince = isSaturated ? (this.saturatedSince ?? now) : undefined;
    this.calmSince = isCalm ? (this.calmSince ?? now) : undefined;
    const isCalmForLong = this.calmSince !== undefined && now - this.calmSince >= calmAfter;
    const saturatedFor = this.saturatedSince === undefined ? 0 : now - this.saturatedSince;
    if (saturatedFor >= overloadedAfter) this.level = "overloaded";
    else if (saturatedFor >= saturatedAfter && this.level !== "overloaded") this.level = "saturated";
    else if (isCalmForLong) this.level = "normal";
    else if (this.level === "normal" && this.busyIntervals >= 2) this.level = "busy";
  }
}
