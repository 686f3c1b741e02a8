/** How often something happened in the last minute, without a memory of each time. */
import type { Ms } from "../wire/units.ts";

const slots = 12;
const slotLength: Ms = 5_000;

export class PerMinute {
  private readonly counts = new Array<number>(slots).fill(0);
  /** Number of the slot that is counted in, since the clock began. */
  private at = 0;

  add(now: Ms): void {
    this.turnTo(now);
    const place = this.at % slots;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
  }

  /** Of the last 55 to 60 seconds. */
  count(now: Ms): number {
    this.turnTo(now);
    return this.counts.reduce((sum, count) => sum + count);
  }

  private turnTo(now: Ms): void {
    const slot = Math.floor(now / slotLength);
    if (slot - this.at >= slots) this.counts.fill(0);
    else for (let next = this.at + 1; next <= slot; next++) this.counts[next % slots] = 0;
    this.at = Math.max(this.at, slot);
  }
}
