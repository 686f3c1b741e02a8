/** The process's clocks. */
import type { Epoch, Ms } from "../wire/units.ts";

export const clock = {
  /** Monotonic. */
  now: (): Ms => performance.now(),
  epoch: (): Epoch => Date.now(),
  /** Runs `act` after `delay`, at the earliest after all that this turn of the event loop has read is handled. */
  defer: (act: () => void, delay: Ms = 0): void =>
    void (delay > 0 ? setTimeout(act, delay) : setImmediate(act)),
};

/** The working and idle time of the event loop since the start, or between two earlier results. */
export const loopUse: typeof performance.eventLoopUtilization = (later, earlier) =>
  performance.eventLoopUtilization(later, earlier);

/** Calls `act` every `interval`, and before each call `onLateness` with its delay. Returns the function that stops it. */
export function every(
  interval: Ms,
  act: () => void,
  onLateness: (lateness: Ms) => void = () => {},
): () => void {
  let due = performance.now() + interval;
  const timer = setInterval(() => {
    const now = performance.now();
    onLateness(Math.max(0, now - due));
    due = now + interval;
    act();
  }, interval);
  return () => clearInterval(timer);
}
