/** The best of a fork's final responses (RFC 3261 §16.7 steps 6 and 7). */

/** A final answer of a branch: a response, or 408 for a branch that never answered. */
export interface Candidate {
  readonly status: number;
}

/** Within the lowest class these let the caller try again with more (§16.7 step 6), in this order. */
const preferred: readonly number[] = [401, 407, 415, 420, 484];

/** Undefined only for an empty list. A 6xx wins; else the lowest class; 2xx never comes here. */
export function bestResponse<T extends Candidate>(candidates: readonly T[]): T | undefined {
  return candidates.reduce<T | undefined>(
    (best, one) => (best === undefined || rank(one) < rank(best) ? one : best),
    undefined,
  );
}

function rank({ status }: Candidate): number {
  const kind = Math.floor(status / 100);
  if (kind === 6) return 0;
  const preference = preferred.indexOf(status);
  // A busy or declining phone says more than one that never answered.
  const within =
    preference >= 0 ? preference - preferred.length : status === 408 || status === 503 ? 900 : status % 100;
  return kind * 1000 + within;
}
