/**
 * The leases of one node: those that it holds as a reader, those that it has granted as a writer, and the gate of its own writes
 * (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). `cluster/` carries the messages. Pure.
 *
 *   each 500 ms, to each node:   ping with `question`  ──►  `reply` of the other node  ──►  `receiveReply`
 *   each 500 ms, one cycle:      heartbeat written, list of the nodes read  ──►  `receiveList`
 *   a change was committed:      `announce`  ──►  `applyChange` of each reader  ──►  `acknowledge`
 */
import type { Ms } from "../wire/units.ts";
import { Grants, type GrantsDependencies } from "./grants.ts";
import { type ChangeReceiver, HeldLeases, type ListedNode } from "./held-leases.ts";
import { packQuestion, packReply, readReply, readSequence } from "./lease-messages.ts";
import { WriterGate } from "./writer-gate.ts";

export interface LeasesDependencies extends GrantsDependencies {
  /** The copy of this node. */
  readonly receiver: ChangeReceiver;
}

export class Leases {
  readonly held: HeldLeases;
  readonly grants: Grants;
  readonly gate = new WriterGate();
  /** Changes that were announced while this node was not known to be a member. */
  private waiting: { readonly change: Uint8Array; readonly done: () => void }[] = [];
  private hasLeft = false;
  private hasEnded = false;

  constructor(deps: LeasesDependencies) {
    this.held = new HeldLeases(deps.receiver);
    this.grants = new Grants(deps);
  }

  // ── Time and the list of the nodes ───────────────────────────────────────────────────────────────────────────────────────

  advance(now: Ms): void {
    this.gate.advance(now);
    if (this.waiting.length > 0 && !this.hasLeft && this.isMember(now)) {
      const waiting = this.waiting;
      this.waiting = [];
      for (const { change, done } of waiting) this.grants.announce(change, now, done);
    }
    this.grants.advance(now);
  }

  /** A cycle that began at `startedAt` read this list, here without this node, whose row is in it and not marked gone. */
  receiveList(others: readonly ListedNode[], startedAt: Ms, now: Ms): void {
    if (this.hasEnded) return;
    this.held.receiveList(others, startedAt, now);
    this.gate.list(others.filter(({ isGone }) => !isGone).map(({ id }) => id));
  }

  /** Call it before the row of this node is deleted, or written again: peers need no lease of it, and it answers nothing from its copy. */
  withdraw(): void {
    this.gate.close();
    this.held.invalidateList();
  }

  /**
   * Call it before the peers are told that this node has left, because they then wait for it no more. It answers nothing from its copy, also
   * when a cycle ends later that is under way.
   */
  end(): void {
    this.hasEnded = true;
    this.withdraw();
  }

  // ── Questions and replies ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The numbers in a ping to this node; none if no lease of it is needed. */
  question(to: string): readonly number[] {
    const question = this.held.question(to);
    return question === undefined ? [] : packQuestion(question.applied);
  }

  /** The numbers in the answer to a ping. */
  reply(from: string, [high, low]: readonly number[], now: Ms): readonly number[] {
    const isNeeded = this.held.confirm(from, now);
    const isAsked = high !== undefined && !this.hasLeft;
    return packReply(isNeeded, isAsked ? this.grants.answer(from, readSequence(high, low), now) : undefined);
  }

  /** The answer to the ping that was sent at `sentAt`. Returns true if it is of use to ping again at once. */
  receiveReply(from: string, numbers: readonly number[], sentAt: Ms): boolean {
    const { isNeeded, answer } = readReply(numbers);
    if (isNeeded) this.gate.confirm(from, sentAt);
    return answer !== undefined && this.held.receiveAnswer(from, answer, sentAt);
  }

  // ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Calls `done` when each peer has applied the change or cannot use its copy without it; never after this node has left. The announcement
   * begins when this node is known to be a member, because peers need no lease of a node that is marked gone.
   */
  announce(change: Uint8Array, now: Ms, done: () => void): void {
    if (this.hasLeft) return;
    if (this.isMember(now)) this.grants.announce(change, now, done);
    else this.waiting.push({ change, done });
  }

  /** This node has announced its last change. Returns the number of it. */
  leave(): number {
    this.hasLeft = true;
    return this.grants.sequence;
  }

  /** The row of this node is not marked gone, and every node that uses its copy knows it. */
  private isMember(now: Ms): boolean {
    return this.gate.isPassed && this.held.isListValid(now);
  }
}
