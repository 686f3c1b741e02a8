/** The delay after failures in a row: doubled by each failure, half of it random, so that many failed keys do not return at the same time. */
import type { Ms } from "./clock.ts";

export interface BackOff {
  /** Delay after the first failure; doubled by each further failure. */
  readonly first: Ms;
  readonly longest: Ms;
}

/** `failures`: the number of failures before this one. `random`: from 0 to 1. */
export function backOffDelay({ first, longest }: BackOff, failures: number, random: () => number): Ms {
  const full = Math.min(longest, first * 2 ** Math.min(failures, 30));
  return full / 2 + (full / 2) * random();
}
