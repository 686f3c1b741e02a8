/**
 * One holder at a time on this machine. The lock is a listening socket in Linux' abstract namespace: the kernel releases it when its
 * process ends, however that happens, so that none is ever left behind.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Waits for the lock, calling `waiting` once where another process holds it, and holds it while `work` runs. */
export async function underLock<T>(subject: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  const name = `\0strowger-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}`;
  let told = false;
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
    if (!told) waiting();
    told = true;
    await pause(500);
  }
}
