/** `strowger up`: runs a whole exchange on this machine. The resources are disposed in the reverse order of their start. */
import { constants } from "node:os";
import { openDatabase } from "./database.ts";
import type { Login } from "./exchange.ts";
import { loadExchange } from "./load-exchange.ts";
import { startNodes } from "./nodes.ts";
import type { OperatorStatus } from "./operator-status.ts";
import { startOperator } from "./operator.ts";
import type { UpOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { explainMissingLogins, selectReadyLogins } from "./ready-logins.ts";
import { runSelfCheck, type Verdict } from "./self-check.ts";
import { StartupError } from "./startup-error.ts";
import { buildSummary } from "./summary.ts";
import type { UpDependencies } from "./up-dependencies.ts";
import { waitForSettledStatus } from "./wait-for-settled-status.ts";
import { watch } from "./watch.ts";

/**
 * Runs until a stop signal, or with `--once` until the end of the self-check. Returns the exit status: 0 if it was stopped, or if the
 * self-check of `--once` passed; 1 if the start or the self-check failed; 128 plus the signal's number if `--once` was stopped before the
 * end of the self-check.
 */
export async function up(options: UpOptions, root: string): Promise<number> {
  const stop = createStopSignal();
  // On a terminal the current line may be the status line of `watch`: clear it first.
  const print = (line: string) => process.stdout.write(`${process.stdout.isTTY ? "\r\x1b[K" : ""}${line}\n`);
  try {
    await using resources = new AsyncDisposableStack();
    const deps = await prepare(options, root, stop, print, resources);
    print("Starting the database ...");
    const database = await openDatabase(deps, resources);
    print("Starting the operator ...");
    const operator = await startOperator(deps, database, resources);
    print(`Starting ${deps.nodeCount} SIP node${deps.nodeCount === 1 ? "" : "s"} ...`);
    const nodes = await startNodes(deps, database, resources);
    const status = await waitForSettledStatus(operator.httpUrl, stop);
    const logins = selectReadyLogins(await reloadLogins(deps), status);
    for (const line of buildSummary(deps, database, operator, nodes, logins, status)) print(line);
    print("Self-check: two scripted phones register and call each other.");
    const verdict = await runSelfCheck(deps, nodes, logins);
    print(`${verdict.passed ? "PASS" : "FAIL"}: ${explainVerdict(verdict, status)}`);
    if (options.once) return verdict.passed ? 0 : 1;
    await watch(deps, operator, nodes, status);
    return 0;
  } catch (error) {
    if (stop.aborted) return options.once ? exitStatusOf(stop.reason) : 0;
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** The logins with the generated passwords. If the YAML is invalid by now, the logins that were read at the start. */
async function reloadLogins({ options, dataFolder, exchange }: UpDependencies): Promise<readonly Login[]> {
  return (await loadExchange(options.examples, dataFolder).catch(() => exchange)).logins;
}

/** Adds the operator's status to the reason of a failed self-check, because it is often the cause. */
function explainVerdict({ passed, reason }: Verdict, status: OperatorStatus | undefined): string {
  const cause = passed ? undefined : explainMissingLogins(status);
  return cause === undefined ? reason : `${reason}. ${cause}`;
}

const exitStatusOf = (reason: unknown): number => 128 + (constants.signals[reason as NodeJS.Signals] ?? 0);

/** Raised by the first SIGINT (Ctrl-C), SIGTERM or SIGHUP. Later signals are ignored while the processes stop. */
function createStopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) process.stdout.write("\nStopping ...\n");
      controller.abort(signal);
    });
  }
  return controller.signal;
}
