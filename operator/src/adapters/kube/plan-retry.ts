/** Whether a refused request is sent again, and when. Pure. */

/** More attempts than that are the reconcile's own back-off's business, as is a server that asks for a longer wait. */
const maxAttempts = 5;
const longestWaitMs = 30_000;

/**
 * The milliseconds to wait before the next attempt; undefined: give up. 429 says that the request was not carried out, and 5xx with
 * Retry-After asks for it again. `attempt` counts from 1, `random` is from 0 to 1.
 */
export function planRetry(
  status: number,
  retryAfter: string | undefined,
  attempt: number,
  random: number,
): number | undefined {
  const isAsked = status === 429 || (status >= 500 && retryAfter !== undefined);
  if (!isAsked || attempt >= maxAttempts) return undefined;
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 1;
  const wait = Math.max(seconds, 1) * 1000;
  return wait > longestWaitMs ? undefined : wait + wait * 0.2 * random;
}
