/**
 * Asks SIP servers over UDP whether they answer, with the npm package `sip`: a stack that shares no code with the nodes. It runs in a
 * thread of its own, which ends with the probe: whatever the package throws, keeps or forgets to stop ends there (a socket that cannot be
 * bound, a timer of 32 s).
 */
import { Worker } from "node:worker_threads";

export interface ProbeTarget {
  /** For the report. */
  readonly name: string;
  /** An IPv4 address; the package cannot write IPv6. */
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
  /** Of the final response; undefined: none came in time. */
  readonly status: number | undefined;
}

const patience = 3_000;
/** The thread needs a moment to start. */
const threadPatience = 10_000;

/** `uri`: what is asked for, `sip:host:port`. Throws where the thread could not be started, so that nobody was asked. */
export async function probe(
  targets: readonly ProbeTarget[],
  uri: { readonly host: string; readonly port: number },
): Promise<readonly ProbeAnswer[]> {
  const statuses = new Map<string, number>();
  let failure: Error | undefined;
  const worker = new Worker(new URL("./probe-thread.ts", import.meta.url), {
    workerData: { targets, uri, patience },
    stdout: true,
    stderr: true,
  });
  await new Promise<void>((resolve) => {
    const limit = setTimeout(resolve, threadPatience);
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
