/**
 * Calls `beat` every five seconds until the returned function is called, whether or not the last call has ended: what still waits for one
 * database must not make another one's leader look dead.
 */
import type { Clock } from "../runtime/clock.ts";

const everyMs = 5_000;

export function keepBeating(beat: () => Promise<void>, clock: Clock): () => void {
  let callOff: () => void = () => undefined;
  const next = (): void => {
    callOff = clock.after(everyMs, () => {
      next();
      void beat();
    });
  };
  next();
  return () => callOff();
}
