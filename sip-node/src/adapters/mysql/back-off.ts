/**
 * After two failures in a row a database is left alone for a while, longer each time: those who ask meanwhile are refused at once, and
 * a server that comes back is not met by everybody.
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

  /** Failures of what was asked before the pause began count once. */
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
