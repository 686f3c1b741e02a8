/** Runs background work at regular intervals. */
import type { Clock, Ms } from "./clock.ts";

/**
 * Calls `work` at the interval `every` until the returned function is called. It does not wait for the last call, because a slow database must
 * not delay the next call. Errors of `work` go to `onFailure`, and the calls continue.
 */
export function repeat(
  clock: Clock,
  every: Ms,
  work: () => Promise<unknown>,
  onFailure: (cause: unknown) => void,
): () => void {
  let cancel: () => void = () => undefined;
  const next = (): void => {
    cancel = clock.after(every, () => {
      next();
      work().catch(onFailure);
    });
  };
  next();
  return () => cancel();
}
