/**
 * The leases that this node has granted, as a writer, and the changes that it announced
 * (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). Pure.
 *
 *   announce ──► sent to each reader ──► acknowledged by it, or its grant is over ──► done: no copy in use is without the change
 *                        └─ again after 40 ms
 *
 * A reader that is behind gets no lease. It gets the changes that it lacks from a log of limited size.
 */
import type { Ms } from "../wire/units.ts";
import { grantTime, onTheWayTime, repeatTime } from "./lease-times.ts";
import type { LeaseAnswer } from "./lease-messages.ts";

export interface GrantsDependencies {
  sendChange(reader: string, sequence: number, change: Uint8Array): void;
}

interface Reader {
  grantUntil: Ms;
  askedAt: Ms;
}

interface PendingChange {
  readonly change: Uint8Array;
  readonly announcedAt: Ms;
  sentAt: Ms;
  /** The readers that have not acknowledged it. */
  readonly waitsFor: Set<string>;
  readonly done: () => void;
}

const maxLogged = 1_000;
const maxLoggedBytes = 4_000_000;
/** How many changes are sent again for one question. */
const maxResent = 100;
/** A reader that asked no longer ago gets the changes. */
const forgottenAfter: Ms = 10_000;

export class Grants {
  /** The number of the last change. */
  sequence = 0;
  private readonly deps: GrantsDependencies;
  private readonly readers = new Map<string, Reader>();
  /** Changes that are not done, and the last ones, by their numbers. */
  private readonly pending = new Map<number, PendingChange>();
  private readonly log = new Map<number, Uint8Array>();
  private loggedBytes = 0;

  constructor(deps: GrantsDependencies) {
    this.deps = deps;
  }

  /** The nodes that asked for a lease recently. */
  get askers(): Iterable<string> {
    return this.readers.keys();
  }

  /** Calls `done` when no reader without this change can use its copy. */
  announce(change: Uint8Array, now: Ms, done: () => void): void {
    this.sequence += 1;
    this.remember(this.sequence, change);
    const waitsFor = new Set<string>();
    for (const [id, { grantUntil }] of this.readers) {
      if (now < grantUntil) waitsFor.add(id);
      this.deps.sendChange(id, this.sequence, change);
    }
    if (waitsFor.size === 0) done();
    else this.pending.set(this.sequence, { change, announcedAt: now, sentAt: now, waitsFor, done });
  }

  /** `reader` has applied this change. */
  acknowledge(reader: string, sequence: number): void {
    const pending = this.pending.get(sequence);
    if (pending?.waitsFor.delete(reader) === true) this.finish(sequence, pending);
  }

  /** `reader` asks for a lease. It has applied all changes up to `applied`; undefined: it does not know this node yet. */
  answer(reader: string, applied: number | undefined, now: Ms): LeaseAnswer {
    const { sequence } = this;
    const known = this.readers.get(reader) ?? { grantUntil: -Infinity, askedAt: now };
    known.askedAt = now;
    this.readers.set(reader, known);
    if (applied === undefined || (applied < sequence && !this.log.has(applied + 1)))
      return { verdict: "missed", sequence };
    for (const number of this.pending.keys()) if (number <= applied) this.acknowledge(reader, number);
    if (!this.isUpToDate(reader, applied, now)) {
      this.resend(reader, applied);
      return { verdict: "behind", sequence };
    }
    known.grantUntil = now + grantTime;
    return { verdict: "granted", sequence };
  }

  /** `reader` has ended and uses its copy no more. No change waits for it. */
  remove(reader: string): void {
    this.readers.delete(reader);
    for (const [sequence, pending] of this.pending)
      if (pending.waitsFor.delete(reader)) this.finish(sequence, pending);
  }

  /** Sends what `reader` lacks. */
  resend(reader: string, applied: number): void {
    const last = Math.min(this.sequence, applied + maxResent);
    for (let number = applied + 1; number <= last; number++) {
      const change = this.log.get(number);
      if (change !== undefined) this.deps.sendChange(reader, number, change);
    }
  }

  /** Repeats changes that were not acknowledged, and ends the wait for readers whose grant is over. */
  advance(now: Ms): void {
    for (const [sequence, pending] of this.pending) {
      for (const id of pending.waitsFor)
        if (now >= (this.readers.get(id)?.grantUntil ?? 0)) pending.waitsFor.delete(id);
      if (this.finish(sequence, pending) || now - pending.sentAt < repeatTime) continue;
      pending.sentAt = now;
      for (const id of pending.waitsFor) this.deps.sendChange(id, sequence, pending.change);
    }
    for (const [id, { askedAt }] of this.readers)
      if (now - askedAt >= forgottenAfter) this.readers.delete(id);
  }

  /** Nothing is missing but changes that are on their way: their waits last until the new grant is over. */
  private isUpToDate(reader: string, applied: number, now: Ms): boolean {
    for (let number = applied + 1; number <= this.sequence; number++) {
      const pending = this.pending.get(number);
      if (pending === undefined || now - pending.announcedAt >= onTheWayTime) return false;
      if (!pending.waitsFor.has(reader)) return false;
    }
    return true;
  }

  private finish(sequence: number, { waitsFor, done }: PendingChange): boolean {
    if (waitsFor.size > 0) return false;
    this.pending.delete(sequence);
    done();
    return true;
  }

  private remember(sequence: number, change: Uint8Array): void {
    this.log.set(sequence, change);
    this.loggedBytes += change.length;
    for (const [oldest, { length }] of this.log) {
      if (this.log.size <= maxLogged && this.loggedBytes <= maxLoggedBytes) return;
      this.log.delete(oldest);
      this.loggedBytes -= length;
    }
  }
}
