/** Counts the events of the last minute, in slots of 5 seconds instead of one time for each event. */
import type { Ms } from "../wire/units.ts";

const slots = 12;
const slotLength: Ms = 5_000;

export class PerMinute {
  private readonly counts = new Array<number>(slots).fill(0);
  /** The number of the current slot since the clock started. */
  private current = 0;

  add(now: Ms): void {
    this.advanceTo(now);
    const index = this.current % slots;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
  }

  /** The number of events in the last 55 to 60 seconds. */
  count(now: Ms): number {
    this.advanceTo(now);
    return this.counts.reduce((sum, count) => sum + count);
  }

  private advanceTo(now: Ms): void {
    const slot = Math.floor(now / slotLength);
    if (slot - this.current >= slots) this.counts.fill(0);
    else for (let next = this.current + 1; next <= slot; next++) this.counts[next % slots] = 0;
    this.current = Math.max(this.current, slot);
  }
}
