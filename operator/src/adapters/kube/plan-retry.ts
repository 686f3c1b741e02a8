/** Whether and when a refused request is sent again. Pure. */

/** For more attempts, and for a longer wait, the back-off of the reconcile is used. */
const maxAttempts = 5;
const maxWaitMs = 30_000;

/**
 * The milliseconds to wait before the next attempt; undefined: no further attempt. After 429 the request was not carried out; 5xx with
 * Retry-After requests another attempt. `attempt` counts from 1, `random` is from 0 to 1.
 */
export function planRetry(
  status: number,
  retryAfter: string | undefined,
  attempt: number,
  random: number,
): number | undefined {
  const isRetryRequested = status === 429 || (status >= 500 && retryAfter !== undefined);
  if (!isRetryRequested || attempt >= maxAttempts) return undefined;
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 1;
  const wait = Math.max(seconds, 1) * 1000;
  return wait > maxWaitMs ? undefined : wait + wait * 0.2 * random;
}
