/**
 * After two failures in a row no connection is tried for a while, and the pause grows with each failure. Requests during a pause fail at
 * once, and a server that restarts does not get all connections at the same moment.
 */
import type { Ms } from "../../wire/units.ts";

const firstPause: Ms = 50;
const longestPause: Ms = 2_000;

export class BackOff {
  private failures = 0;
  private until: Ms = 0;

  mayTry(now: Ms): boolean {
    return now >= this.until;
  }

  /** Failures of tries that began before the pause count once. */
  failed(now: Ms): void {
    if (now < this.until) return;
    this.failures += 1;
    if (this.failures > 1) this.until = now + Math.min(firstPause * 2 ** (this.failures - 2), longestPause);
  }

  succeeded(): void {
    this.failures = 0;
    this.until = 0;
  }
}
