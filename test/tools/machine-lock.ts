/**
 * A lock for one process at a time on this machine. It is a listening socket in Linux' abstract namespace: the kernel releases it when the
 * process ends in any way, so no stale lock can remain.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Waits for the lock and holds it while `work` runs. Calls `onWaiting` once if another process holds it. */
export async function underLock<T>(
  subject: string,
  onWaiting: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const name = `\0strowger-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}`;
  let hasReported = false;
  for (;;) {
    const server = createServer().listen(name);
    const [failure] = (await Promise.race([once(server, "listening"), once(server, "error")]).catch(
      (error: unknown) => [error],
    )) as [NodeJS.ErrnoException?];
    if (failure === undefined) {
      try {
        return await work();
      } finally {
        server.close();
      }
    }
    if (failure.code !== "EADDRINUSE") throw failure;
    if (!hasReported) onWaiting();
    hasReported = true;
    await pause(500);
  }
}
