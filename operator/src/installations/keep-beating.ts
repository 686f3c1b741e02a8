/** Calls `beat` every five seconds, one after the other, until the returned function is called. */
import type { Clock } from "../runtime/clock.ts";

const everyMs = 5_000;

export function keepBeating(beat: () => Promise<void>, clock: Clock): () => void {
  let isStopped = false;
  let callOff: () => void = () => undefined;
  const next = (): void => {
    callOff = clock.after(everyMs, () => {
      void beat().finally(() => {
        if (!isStopped) next();
      });
    });
  };
  next();
  return () => {
    isStopped = true;
    callOff();
  };
}
