/**
 * When this node may write bindings (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). Pure.
 *
 *   closed ──joined: its row is committed──► waiting ──every node of a later list needs its lease, or 2 s──► open
 *     ▲                                         │                                                              │
 *     └──────────────────── it was marked gone, or it leaves ◄─────────────────────────────────────────────────┘
 *
 * A node that does not yet know this one would use its copy without a lease of it. Its list without this node is invalid after those 2 s.
 */
import type { Ms } from "../wire/units.ts";
import { gateTime } from "./lease-times.ts";

export class WriterGate {
  /** Changes each time that the gate closes: a commit must end under the number of its begin. */
  private term = 0;
  private state: "closed" | "waiting" | "open" = "closed";
  private joinedAt: Ms = 0;
  private listed: readonly string[] | undefined;
  private readonly confirmed = new Set<string>();
  private whenOpen: (() => void)[] = [];
  private isLeaving = false;

  /** A commit may begin. */
  get isOpen(): boolean {
    return this.isPassed && !this.isLeaving;
  }

  /** Every node that uses its copy needs a lease of this one. */
  get isPassed(): boolean {
    return this.state === "open";
  }

  /** Undefined while it is closed. */
  get openTerm(): number | undefined {
    return this.isOpen ? this.term : undefined;
  }

  /** Call it before the row is written again. */
  close(): void {
    this.term += 1;
    this.state = "closed";
  }

  /** No commit begins from now on. Those under way may end. */
  leave(): void {
    this.isLeaving = true;
  }

  /** The row of this node is committed. */
  join(now: Ms): void {
    this.state = "waiting";
    this.joinedAt = now;
    this.listed = undefined;
    this.confirmed.clear();
  }

  /** The other nodes that are not marked gone, of a list that was read after `join`. */
  list(others: readonly string[]): void {
    if (this.state !== "waiting") return;
    this.listed = others;
    this.openIfConfirmed();
  }

  /** A node needs a lease of this one. It said so in its answer to a frame that was sent at `sentAt`. */
  confirm(id: string, sentAt: Ms): void {
    if (this.state !== "waiting" || sentAt < this.joinedAt) return;
    this.confirmed.add(id);
    this.openIfConfirmed();
  }

  advance(now: Ms): void {
    if (this.state === "waiting" && now - this.joinedAt >= gateTime) this.open();
  }

  /** Calls `act` when the gate is open, at once if it is. */
  wait(act: () => void): void {
    if (this.isOpen) act();
    else this.whenOpen.push(act);
  }

  private openIfConfirmed(): void {
    if (this.listed?.every((id) => this.confirmed.has(id)) === true) this.open();
  }

  private open(): void {
    this.state = "open";
    const waiting = this.whenOpen;
    this.whenOpen = [];
    for (const act of waiting) act();
  }
}
