/** A program that a test starts. Its output is collected. The kernel kills it when the test process ends for any reason. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";

export interface TestChild extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Everything it wrote to stdout and stderr. */
  output(): string;
  /** Ends it with a signal and waits. Resolves at once when it has ended already. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves with the exit status (null: ended by a signal). */
  readonly exited: Promise<number | null>;
}

/** With `log`, the output is appended to that file and not collected. With `namespace`, it runs in that network namespace. */
export function startChild(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; log?: string; namespace?: string } = {},
): TestChild {
  const deathSignal = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL"] : [];
  const place = options.namespace === undefined ? [] : inNamespace(options.namespace);
  const [first = command, ...rest] = [...deathSignal, ...place, command, ...args];
  const log = options.log === undefined ? "pipe" : openSync(options.log, "a");
  const child = spawn(first, rest, {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", log, log],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let output = "";
  if (log !== "pipe") closeSync(log);
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("exit", (status) => resolve(status));
    child.once("error", reject);
  });
  exited.catch(() => undefined);
  const end = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    const killTimer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(killTimer);
  };
  return {
    process: child,
    pid: child.pid ?? 0,
    output: () => (options.log === undefined ? output : readFileSync(options.log, "utf8")),
    end,
    exited,
    [Symbol.asyncDispose]: () => end(),
  };
}

/** The command that runs a program in a network namespace. `ip netns exec` would hide /sys/fs/cgroup. */
export const inNamespace = (name: string): readonly string[] => ["nsenter", `--net=/run/netns/${name}`, "--"];
