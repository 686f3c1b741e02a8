/** Polls for a result until a timeout or Ctrl-C. */
import { setTimeout as sleep } from "node:timers/promises";

/** Calls `poll` every 100 ms until it returns a value. Undefined after `timeoutMs`. Throws when `stop` is raised. */
export async function waitFor<T>(
  poll: () => Promise<T | undefined> | T | undefined,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<T | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    stop.throwIfAborted();
    const result = await poll();
    if (result !== undefined) return result;
    if (Date.now() > deadline) return undefined;
    await sleep(100, undefined, { signal: stop });
  }
}
