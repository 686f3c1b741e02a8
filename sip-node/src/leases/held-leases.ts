/**
 * The leases that this node holds, as a reader of its copy (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md).
 * Pure.
 *
 *   the copy is current  =  the list of the nodes is valid, and each node that can write has granted a lease that still runs
 *
 * A node that can write is one of the last list that is not marked gone, or one whose frame arrived since: its row is committed before it
 * sends. Of each of them this node knows up to which number it has applied its changes.
 */
import type { Ms } from "../wire/units.ts";
import { leaseTime, listTime } from "./lease-times.ts";
import type { LeaseAnswer } from "./lease-messages.ts";

/** The copy. `CopyReceiver` of `location/` is one. */
export interface ChangeReceiver {
  apply(change: Uint8Array): void;
  distrust(): void;
}

/** A row of the list of nodes. */
export interface ListedNode {
  readonly id: string;
  /** It is marked gone: its commits are refused until it joins again. */
  readonly isGone: boolean;
}

interface Writer {
  /** Answers to questions that were sent before are ignored. */
  readonly addedAt: Ms;
  /** When this node last confirmed to it that it needs its lease. Only a list that was read later can remove it. */
  confirmedAt: Ms;
  leaseUntil: Ms;
  /** All its changes up to this number are applied; undefined: it has not answered yet. */
  applied: number | undefined;
  /** Applied changes above `applied` + 1. */
  readonly ahead: Set<number>;
  /** The number of its last change, from its farewell; undefined: it goes on. */
  final: number | undefined;
}

const maxAhead = 1_000;
const maxExcluded = 1_000;

export class HeldLeases {
  /** How often the copy was told that changes may be missing. */
  distrusts = 0;
  private readonly receiver: ChangeReceiver;
  private readonly writers = new Map<string, Writer>();
  /** Nodes that were removed. Their frames do not add them again; a list does. The oldest first. */
  private readonly excluded = new Set<string>();
  private listUntil: Ms = -Infinity;

  constructor(receiver: ChangeReceiver) {
    this.receiver = receiver;
  }

  /** Then this node's row is not marked gone either, because that takes longer. */
  isListValid(now: Ms): boolean {
    return now < this.listUntil;
  }

  isCurrent(now: Ms): boolean {
    if (!this.isListValid(now)) return false;
    for (const writer of this.writers.values())
      if (now >= writer.leaseUntil && !hasFinished(writer)) return false;
    return true;
  }

  /** How many leases run, of how many that are needed. */
  count(now: Ms): { readonly held: number; readonly needed: number } {
    const needed = [...this.writers.values()].filter((writer) => !hasFinished(writer));
    return { held: needed.filter(({ leaseUntil }) => now < leaseUntil).length, needed: needed.length };
  }

  // ── Leases ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A frame of this node arrived. Returns true if a lease of it is needed from now on. */
  recordFrame(id: string, now: Ms): boolean {
    if (this.writers.has(id) || this.excluded.has(id)) return false;
    this.add(id, now);
    return true;
  }

  /** The question for a lease; undefined: none is needed of this node. */
  question(id: string): { readonly applied: number | undefined } | undefined {
    return this.writers.get(id);
  }

  /** This node tells `id` whether it needs its lease. */
  confirm(id: string, now: Ms): boolean {
    const writer = this.writers.get(id);
    if (writer !== undefined) writer.confirmedAt = now;
    return writer !== undefined;
  }

  /** The answer to the question that was sent at `sentAt`. Returns true if it is of use to ask again at once. */
  receiveAnswer(id: string, { verdict, sequence }: LeaseAnswer, sentAt: Ms): boolean {
    const writer = this.writers.get(id);
    if (writer === undefined || sentAt < writer.addedAt) return false;
    if (verdict === "granted") writer.leaseUntil = Math.max(writer.leaseUntil, sentAt + leaseTime);
    return verdict === "missed" && this.skipTo(writer, sequence);
  }

  // ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A change that `id` announced. It is applied when this returns. */
  applyChange(id: string, sequence: number, change: Uint8Array): void {
    const writer = this.writers.get(id);
    if (writer?.applied !== undefined && (sequence <= writer.applied || writer.ahead.has(sequence))) return;
    this.receiver.apply(change);
    if (writer?.applied === undefined || writer.ahead.size >= maxAhead) return;
    writer.ahead.add(sequence);
    advanceApplied(writer);
  }

  /** `id` writes nothing after its change `final`. Returns the number up to which its changes are applied. */
  receiveFarewell(id: string, final: number): number {
    const writer = this.writers.get(id);
    if (writer === undefined) return final;
    writer.final = final;
    return writer.applied ?? 0;
  }

  /** The writer no longer has changes that were not applied. Returns false if this is known already. */
  private skipTo(writer: Writer, sequence: number): boolean {
    if (writer.applied !== undefined && sequence <= writer.applied) return false;
    if (sequence > 0) this.distrust();
    writer.applied = sequence;
    for (const number of writer.ahead) if (number <= sequence) writer.ahead.delete(number);
    advanceApplied(writer);
    return true;
  }

  // ── The list of the nodes ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A cycle that began at `startedAt` wrote this node's heartbeat, and then read the list, here without this node. */
  receiveList(nodes: readonly ListedNode[], startedAt: Ms, now: Ms): void {
    const writing = new Set(nodes.filter(({ isGone }) => !isGone).map(({ id }) => id));
    // Between two lists with a gap a node can have joined, written and left
    let hasMissed = !this.isListValid(now);
    for (const [id, writer] of this.writers) {
      if (writing.has(id) || writer.confirmedAt >= startedAt) continue;
      this.writers.delete(id);
      this.exclude(id);
      if (!hasFinished(writer)) hasMissed = true;
    }
    for (const id of writing) {
      this.excluded.delete(id);
      if (!this.writers.has(id)) this.add(id, now);
    }
    this.listUntil = startedAt + listTime;
    if (hasMissed) this.distrust();
  }

  /** Until the next list is received, nothing is answered from the copy. */
  invalidateList(): void {
    this.listUntil = -Infinity;
  }

  private add(id: string, now: Ms): void {
    this.writers.set(id, {
      ...{ addedAt: now, confirmedAt: now, leaseUntil: -Infinity, applied: undefined, ahead: new Set() },
      final: undefined,
    });
  }

  private exclude(id: string): void {
    this.excluded.add(id);
    const [oldest] = this.excluded;
    if (this.excluded.size > maxExcluded && oldest !== undefined) this.excluded.delete(oldest);
  }

  private distrust(): void {
    this.distrusts += 1;
    this.receiver.distrust();
  }
}

/** It writes no more, and all that it wrote is applied. */
const hasFinished = ({ final, applied }: Writer): boolean => final !== undefined && final === (applied ?? 0);

function advanceApplied(writer: Writer): void {
  if (writer.applied === undefined) return;
  while (writer.ahead.delete(writer.applied + 1)) writer.applied += 1;
}
