/**
 * A child process of `strowger up`. Its output goes to a log file. It is restarted with back-off when it ends, and stopped on dispose. If
 * this process is killed with SIGKILL, the kernel stops it too (by setpriv of util-linux; without setpriv it keeps running in that case).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { findCommand } from "../setup/tools.ts";

interface ChildOptions {
  /** The name for the user: `node-a`, `operator`, `database`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The file for its output; emptied at the first start. */
  readonly logFile: string;
  /** The time from SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
}

const minRestartDelayMs = 500;
const maxRestartDelayMs = 10_000;
/** After a run of this length the delay starts again from the minimum. */
const stableRunMs = 30_000;

/** `print` gets a line when the process ended and when it runs again. */
export class Child implements AsyncDisposable {
  readonly options: ChildOptions;
  readonly #print: (line: string) => void;
  readonly #log: WriteStream;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isStopping = false;
  #restartDelayMs = minRestartDelayMs;
  #restartTimer: NodeJS.Timeout | undefined;
  #isKeptAlive = false;

  constructor(options: ChildOptions, print: (line: string) => void) {
    this.options = options;
    this.#print = print;
    this.#log = createWriteStream(options.logFile, { flags: "w", mode: 0o600 });
    this.#start();
  }

  /** From now on the process is restarted when it ends. Before this call the caller reports the end. */
  keepAlive(): void {
    this.#isKeptAlive = true;
    if (!this.isRunning) this.#scheduleRestart();
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The last lines of its log, for a message about a failed start. */
  async lastLogLines(lines = 8): Promise<string> {
    const text = await readFile(this.options.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#process;
    child?.kill("SIGTERM");
    const killTimer = setTimeout(() => child?.kill("SIGKILL"), this.options.stopTimeoutMs);
    await this.#ended;
    clearTimeout(killTimer);
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  #start(): void {
    const setpriv = findCommand("setpriv");
    const wrapper = setpriv === undefined ? [] : [setpriv, "--pdeathsig", "TERM"];
    const [command, ...args] = [...wrapper, this.options.command, ...this.options.args];
    // Its own process group: the terminal sends Ctrl-C only to this process, which then stops all children in order.
    const child = spawn(command ?? this.options.command, args, {
      env: { ...process.env, ...this.options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: setpriv !== undefined,
    });
    const startedAt = Date.now();
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      const onEnd = (how: string) => {
        if (this.#process !== child) return;
        this.#process = undefined;
        if (Date.now() - startedAt > stableRunMs) this.#restartDelayMs = minRestartDelayMs;
        if (!this.#isStopping && this.#isKeptAlive) {
          this.#print(
            `${this.options.name} ${how}; restart in ${this.#restartDelayMs / 1000} s (log: ${this.options.logFile})`,
          );
          this.#scheduleRestart();
        }
        resolve();
      };
      child.on("error", (error) => onEnd(`could not be started: ${error.message}`));
      child.on("exit", (status, signal) =>
        onEnd(signal ? `was stopped by ${signal}` : `exited with status ${status}`),
      );
    });
  }

  #scheduleRestart(): void {
    if (this.#isStopping) return;
    this.#restartTimer = setTimeout(() => {
      this.#start();
      this.#print(`${this.options.name} runs again (pid ${this.pid})`);
    }, this.#restartDelayMs);
    this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, maxRestartDelayMs);
  }
}
