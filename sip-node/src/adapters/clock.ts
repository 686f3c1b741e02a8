/** The process's clocks. */
import type { Epoch, Ms } from "../wire/units.ts";

export const clock = {
  /** Monotonic. */
  now: (): Ms => performance.now(),
  epoch: (): Epoch => Date.now(),
  /** After what this turn of the event loop has read. */
  defer: (act: () => void): void => void setImmediate(act),
};

/** Calls `act` every `interval`; the answer stops it. `late` hears by how much each call missed its time. */
export function every(interval: Ms, act: () => void, late: (by: Ms) => void = () => {}): () => void {
  let due = performance.now() + interval;
  const timer = setInterval(() => {
    const now = performance.now();
    late(Math.max(0, now - due));
    due = now + interval;
    act();
  }, interval);
  return () => clearInterval(timer);
}
