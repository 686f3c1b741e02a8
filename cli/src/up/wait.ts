/** Waiting that ends with the user's patience or Ctrl-C. */
import { setTimeout as sleep } from "node:timers/promises";

/** Asks `question` every 100 ms until it answers something other than undefined; undefined when `patienceMs` is over. Throws when `stop` is raised. */
export async function waitFor<T>(
  question: () => Promise<T | undefined> | T | undefined,
  patienceMs: number,
  stop: AbortSignal,
): Promise<T | undefined> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    stop.throwIfAborted();
    const answer = await question();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) return undefined;
    await sleep(100, undefined, { signal: stop });
  }
}
