/** `strowger up`: a whole exchange on this machine, from YAML to ringing phones. Reads from top to bottom; stops from bottom to top. */
import { constants } from "node:os";
import { openDatabase } from "./database.ts";
import type { Login } from "./exchange.ts";
import { Fault } from "./fault.ts";
import type { House } from "./house.ts";
import { loadExchange } from "./load-exchange.ts";
import { startNodes } from "./nodes.ts";
import type { OperatorView } from "./operator-view.ts";
import { startOperator } from "./operator.ts";
import type { UpOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { selfCheck, type Verdict } from "./self-check.ts";
import { settledView } from "./settled-view.ts";
import { summary } from "./summary.ts";
import { watch } from "./watch.ts";
import { whoCanLogIn, whyNot } from "./who-can-log-in.ts";

/**
 * Runs until Ctrl-C or SIGTERM, or once. Returns the exit status: 0 where it was stopped, or the self-check of `--once` passed; 1 where it
 * did not pass or could not begin; where `--once` was stopped before its verdict, 128 and the signal's number.
 */
export async function up(options: UpOptions, root: string): Promise<number> {
  const stop = stopSignal();
  // On a terminal a line that is rewritten once a second may stand there: it gives way.
  const say = (line: string) => process.stdout.write(`${process.stdout.isTTY ? "\r\x1b[K" : ""}${line}\n`);
  try {
    await using cellar = new AsyncDisposableStack();
    const house = await prepare(options, root, stop, say, cellar);
    say("Starting the database ...");
    const database = await openDatabase(house, cellar);
    say("Starting the operator ...");
    const operator = await startOperator(house, database, cellar);
    say(`Starting ${house.nodes} SIP node${house.nodes === 1 ? "" : "s"} ...`);
    const nodes = await startNodes(house, database, cellar);
    const view = await settledView(operator.httpUrl, stop);
    const logins = whoCanLogIn(await loginsNow(house), view);
    for (const line of summary(house, database, operator, nodes, logins, view)) say(line);
    say("Self-check: two scripted phones register and call each other.");
    const verdict = await selfCheck(house, nodes, logins);
    say(`${verdict.passed ? "PASS" : "FAIL"}: ${reasonOf(verdict, view)}`);
    if (options.once) return verdict.passed ? 0 : 1;
    await watch(house, operator, nodes, view);
    return 0;
  } catch (error) {
    if (stop.aborted) return options.once ? statusOf(stop.reason) : 0;
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** With the passwords that the operator has generated; what was read at the start where a file was broken since. */
async function loginsNow({ options, folder, exchange }: House): Promise<readonly Login[]> {
  return (await loadExchange(options.examples, folder).catch(() => exchange)).logins;
}

/** Why a self-check failed is often what the operator says of an object. */
function reasonOf({ passed, reason }: Verdict, view: OperatorView | undefined): string {
  const cause = passed ? undefined : whyNot(view);
  return cause === undefined ? reason : `${reason}. ${cause}`;
}

const statusOf = (reason: unknown): number => 128 + (constants.signals[reason as NodeJS.Signals] ?? 0);

/** Raised by the first Ctrl-C, SIGTERM or SIGHUP; what comes later is ignored, because the stop is under way and ends by itself. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) process.stdout.write("\nStopping ...\n");
      controller.abort(signal);
    });
  }
  return controller.signal;
}
