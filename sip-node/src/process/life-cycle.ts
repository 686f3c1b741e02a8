/**
 * From start to exit (design-sip rules 20 and 21).
 *
 *   starting ──serve──► serving ──drain──► draining ──drained, or the time is over──► gone
 *       └───────────────── drain: nothing to wait for ────────────────────────────────►
 *
 * Ready from `serving` on, and while draining: what flows stay here keep coming until the exit. A node with nothing to do stays too until
 * whoever sends phones here has noticed: until then new flows come, and with nobody here they would go nowhere.
 */
import type { Ms } from "../wire/units.ts";

export type Stage = "starting" | "serving" | "draining";

/** Load balancers look at their nodes every 5 to 10 s and believe the second or third look (design-sip rule 22). */
const noticedAfter: Ms = 30_000;
/** How long a node in a hurry waits for the requests that it owes an answer. */
const hurriedPatience: Ms = 5_000;

/** What there is to wait for. */
export interface Work {
  /** Nothing is left at all. */
  readonly isDrained: boolean;
  /** Some phone waits for a final response. */
  readonly owesAnswers: boolean;
}

export class LifeCycle {
  stage: Stage = "starting";
  private hasServed = false;
  private drainedSince: Ms = 0;
  private hurriedSince: Ms | undefined;

  serve(): void {
    if (this.stage !== "starting") return;
    this.stage = "serving";
    this.hasServed = true;
  }

  /** False when it drains already. */
  drain(now: Ms): boolean {
    if (this.stage === "draining") return false;
    this.stage = "draining";
    this.drainedSince = now;
    return true;
  }

  /** Somebody waits: only answers that are owed are waited for. */
  hurry(now: Ms): void {
    this.hurriedSince ??= now;
  }

  get isReady(): boolean {
    return this.hasServed;
  }

  get isDraining(): boolean {
    return this.stage === "draining";
  }

  /** Whether the process may end. `timeout` is the drain's. */
  mayLeave(now: Ms, timeout: Ms, { isDrained, owesAnswers }: Work): boolean {
    if (!this.isDraining) return false;
    const drainedFor = now - this.drainedSince;
    if (!this.hasServed || drainedFor >= timeout || (isDrained && drainedFor >= noticedAfter)) return true;
    if (this.hurriedSince === undefined) return false;
    return !owesAnswers || now - this.hurriedSince >= hurriedPatience;
  }
}
