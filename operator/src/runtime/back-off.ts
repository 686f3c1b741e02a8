/** How long to wait after failures in a row: doubled by each, half of it chance, so that many that failed together do not come back together. */
import type { Ms } from "./clock.ts";

export interface BackOff {
  /** Delay after the first failure; doubled by each further one. */
  readonly first: Ms;
  readonly longest: Ms;
}

/** `failures`: how many there were before this one. `random`: from 0 to 1. */
export function backOffDelay({ first, longest }: BackOff, failures: number, random: () => number): Ms {
  const full = Math.min(longest, first * 2 ** Math.min(failures, 30));
  return full / 2 + (full / 2) * random();
}
