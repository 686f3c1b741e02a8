/** Chooses the best of the final responses of all branches (RFC 3261 §16.7 steps 6 and 7). */

/** The final status of a branch: of its response, or 408 if it never answered. */
export interface Candidate {
  readonly status: number;
}

/** Preferred within the lowest class, in this order: the caller can repeat the request with what was missing (§16.7 step 6). */
const preferred: readonly number[] = [401, 407, 415, 420, 484];

/** A 6xx first, otherwise the lowest class; a 2xx was forwarded before. Undefined only for an empty list. */
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
  // A phone that is busy or declined comes before one that never answered
  const within =
    preference >= 0 ? preference - preferred.length : status === 408 || status === 503 ? 900 : status % 100;
  return kind * 1000 + within;
}
