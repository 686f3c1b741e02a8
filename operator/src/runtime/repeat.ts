/** Background work at regular times. */
import type { Clock, Ms } from "./clock.ts";

/**
 * Calls `work` after each `every` until the returned function is called, whether or not the last call has ended: what waits for one database
 * must not delay the next round. What `work` throws goes to `onFailure`, and the rounds go on.
 */
export function repeat(
  clock: Clock,
  every: Ms,
  work: () => Promise<unknown>,
  onFailure: (cause: unknown) => void,
): () => void {
  let callOff: () => void = () => undefined;
  const next = (): void => {
    callOff = clock.after(every, () => {
      next();
      work().catch(onFailure);
    });
  };
  next();
  return () => callOff();
}
