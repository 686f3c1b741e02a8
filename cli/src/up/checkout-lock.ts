/**
 * Allows one running exchange for each checkout, because two would need the same ports. The lock is a socket in Linux' abstract namespace:
 * the kernel removes it when the process ends in any way. A client that connects receives the process id of the lock's holder.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { connect, createServer } from "node:net";
import { StartupError } from "./startup-error.ts";

/** The lock is released when `resources` is disposed. Throws StartupError if another exchange runs. */
export async function lockCheckout(root: string, resources: AsyncDisposableStack): Promise<void> {
  const hash = createHash("sha256").update(realpathSync(root)).digest("hex").slice(0, 32);
  const path = `\0strowger-up-${hash}`;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(String(process.pid));
  });
  const failure = await new Promise<string | undefined>((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ path, exclusive: true }, () => resolve(undefined));
  });
  if (failure === undefined) {
    server.unref();
    resources.defer(() => void server.close());
    return;
  }
  if (failure !== "EADDRINUSE") throw new StartupError(`The checkout ${root} cannot be locked: ${failure}`);
  const holder = await readHolder(path);
  throw new StartupError(
    holder === undefined
      ? "Strowger already runs from this checkout, and is stopping. Try again"
      : `Strowger already runs from this checkout (pid ${holder}). Stop it first: kill ${holder}`,
  );
}

/** The process id; undefined if the process has ended or does not answer. */
function readHolder(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = "";
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(/^\d+$/.test(text) ? text : undefined));
  });
}
