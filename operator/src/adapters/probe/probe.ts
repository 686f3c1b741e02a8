/**
 * Probes SIP servers over UDP with the npm package `sip`, a stack that shares no code with the nodes. It runs in a thread of its own, which
 * ends with the probe. So errors, sockets and timers that the package leaves behind (a timer of 32 s) end with the thread.
 */
import { Worker } from "node:worker_threads";

export interface ProbeTarget {
  /** For the report. */
  readonly name: string;
  /** An IPv4 address; the package does not support IPv6. */
  readonly address: string;
  readonly port: number;
}

export interface ProbeReport {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly answers: readonly ProbeAnswer[];
}

export interface ProbeAnswer {
  readonly name: string;
  /** Of the final response; undefined: there was none within 3 s. */
  readonly status: number | undefined;
}

const timeout = 3_000;
/** With time to start the thread. */
const threadTimeout = 10_000;

/** `uri`: the Request-URI `sip:host:port`. Throws if the thread failed before any response. */
export async function probe(
  targets: readonly ProbeTarget[],
  uri: { readonly host: string; readonly port: number },
): Promise<readonly ProbeAnswer[]> {
  const statuses = new Map<string, number>();
  let failure: Error | undefined;
  const worker = new Worker(new URL("./probe-thread.ts", import.meta.url), {
    workerData: { targets, uri, timeout },
    stdout: true,
    stderr: true,
  });
  await new Promise<void>((resolve) => {
    const limit = setTimeout(resolve, threadTimeout);
    worker.on("message", ({ name, status }: { readonly name: string; readonly status: number }) =>
      statuses.set(name, status),
    );
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("exit", () => {
      clearTimeout(limit);
      resolve();
    });
  });
  await worker.terminate();
  if (failure !== undefined && statuses.size === 0)
    throw new Error("the thread of the probe ended with an error", { cause: failure });
  return targets.map(({ name }) => ({ name, status: statuses.get(name) }));
}
