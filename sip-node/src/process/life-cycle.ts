/**
 * The stages of a node from start to exit (design-sip rules 20 and 21).
 *
 *   starting ──serve──► serving ──drain──► draining ──drained, or the timeout is over──► exit
 *       └───────────────── drain: nothing to wait for ──────────────────────────────────►
 *
 * A node is ready from `serving` on, also while it drains, because phones whose flows are pinned to it keep sending until it exits. A node
 * without work does not exit before load balancers have removed it: until then they send it new flows, which would be lost.
 */
import type { Ms } from "../wire/units.ts";

export type Stage = "starting" | "serving" | "draining";

/** Load balancers probe their nodes every 5 to 10 s and remove one after two or three failures (design-sip rule 22). */
const removedFromBalancersAfter: Ms = 30_000;
/** How long a node in a hurry waits for requests without a final response. */
const hurryTimeout: Ms = 5_000;

/** The work that a draining node waits for. */
export interface RemainingWork {
  /** No work is left. */
  readonly isDrained: boolean;
  /** A phone waits for a final response. */
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

  /** False if it drains already. */
  drain(now: Ms): boolean {
    if (this.stage === "draining") return false;
    this.stage = "draining";
    this.drainedSince = now;
    return true;
  }

  /** From now on only requests without a final response are waited for. */
  hurry(now: Ms): void {
    this.hurriedSince ??= now;
  }

  get isReady(): boolean {
    return this.hasServed;
  }

  get isDraining(): boolean {
    return this.stage === "draining";
  }

  /** Whether the process may exit. `timeout`: the longest time of a drain. */
  mayLeave(now: Ms, timeout: Ms, { isDrained, owesAnswers }: RemainingWork): boolean {
    if (!this.isDraining) return false;
    const drainedFor = now - this.drainedSince;
    if (!this.hasServed || drainedFor >= timeout || (isDrained && drainedFor >= removedFromBalancersAfter))
      return true;
    if (this.hurriedSince === undefined) return false;
    return !owesAnswers || now - this.hurriedSince >= hurryTimeout;
  }
}
