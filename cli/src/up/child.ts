/**
 * A program that `strowger up` keeps running: named, logged into a file, started again with back-off when it dies, ended on stop, and
 * ended by the kernel when this process is killed with SIGKILL (setpriv of util-linux; without it, an orphan is left in that case).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { findCommand } from "../setup/tools.ts";

export interface ChildPlan {
  /** As the user reads it: `node-a`, `operator`, `database`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes; emptied at the first start. */
  readonly logFile: string;
  /** How long it may take to end after SIGTERM before it is killed. */
  readonly patienceMs: number;
}

const firstPauseMs = 500;
const longestPauseMs = 10_000;
/** Whoever lived this long starts again from the first pause. */
const settledMs = 30_000;

/** `say` gets a line when the program died and when it runs again; `revive` decides whether it is started again. */
export class Child implements AsyncDisposable {
  readonly plan: ChildPlan;
  readonly #say: (line: string) => void;
  readonly #log: WriteStream;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;
  #pauseMs = firstPauseMs;
  #restart: NodeJS.Timeout | undefined;
  #reviving = false;

  constructor(plan: ChildPlan, say: (line: string) => void) {
    this.plan = plan;
    this.#say = say;
    this.#log = createWriteStream(plan.logFile, { flags: "w", mode: 0o600 });
    this.#start();
  }

  /** From now on a death is followed by a new start; before, it is the caller's to report. */
  keepAlive(): void {
    this.#reviving = true;
    if (!this.isRunning) this.#schedule();
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The last lines it wrote, for the message that says why it did not come up. */
  async lastWords(lines = 8): Promise<string> {
    const text = await readFile(this.plan.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#process;
    child?.kill("SIGTERM");
    const impatience = setTimeout(() => child?.kill("SIGKILL"), this.plan.patienceMs);
    await this.#ended;
    clearTimeout(impatience);
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  #start(): void {
    const lifeline = findCommand("setpriv");
    const guarded = lifeline === undefined ? [] : [lifeline, "--pdeathsig", "TERM"];
    const [command, ...args] = [...guarded, this.plan.command, ...this.plan.args];
    // A process group of its own: Ctrl-C reaches this process alone, which then stops everything in order.
    const child = spawn(command ?? this.plan.command, args, {
      env: { ...process.env, ...this.plan.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: lifeline !== undefined,
    });
    const startedAt = Date.now();
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#process !== child) return;
        this.#process = undefined;
        if (Date.now() - startedAt > settledMs) this.#pauseMs = firstPauseMs;
        if (!this.#stopping && this.#reviving) {
          this.#say(
            `${this.plan.name} ${how}; started again in ${this.#pauseMs / 1000} s (log: ${this.plan.logFile})`,
          );
          this.#schedule();
        }
        resolve();
      };
      child.on("error", (error) => end(`could not be started: ${error.message}`));
      child.on("exit", (status, signal) =>
        end(signal ? `was ended by ${signal}` : `exited with status ${status}`),
      );
    });
  }

  #schedule(): void {
    if (this.#stopping) return;
    this.#restart = setTimeout(() => {
      this.#start();
      this.#say(`${this.plan.name} runs again (pid ${this.pid})`);
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }
}
