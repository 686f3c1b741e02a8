/**
 * One exchange a checkout: two would take each other's ports. The lock is a socket in Linux' abstract namespace, which the kernel takes
 * away with the process that has it, however that ends; whoever connects is told the holder's process id.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { connect, createServer } from "node:net";
import { Fault } from "./fault.ts";

/** Given back with `cellar`. Throws Fault where another exchange runs. */
export async function lockCheckout(root: string, cellar: AsyncDisposableStack): Promise<void> {
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
    cellar.defer(() => void server.close());
    return;
  }
  if (failure !== "EADDRINUSE") throw new Fault(`The checkout ${root} cannot be locked: ${failure}`);
  const holder = await holderOf(path);
  throw new Fault(
    holder === undefined
      ? "Strowger already runs from this checkout, and is just ending. Try again"
      : `Strowger already runs from this checkout (pid ${holder}). Stop it first: kill ${holder}`,
  );
}

/** Undefined where it is gone meanwhile, or does not answer. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = "";
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(/^\d+$/.test(text) ? text : undefined));
  });
}
