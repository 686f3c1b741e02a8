/** `strowger up`: a whole exchange on this machine, from YAML to ringing phones. Reads from top to bottom; stops from bottom to top. */
import { openDatabase } from "./database.ts";
import { Fault } from "./fault.ts";
import { startNodes } from "./nodes.ts";
import { startOperator } from "./operator.ts";
import type { UpOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { selfCheck } from "./self-check.ts";
import { summary } from "./summary.ts";
import { watch } from "./watch.ts";

/** Runs until Ctrl-C or SIGTERM, or once. Returns the exit status. */
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
    for (const line of summary(house, database, operator, nodes)) say(line);
    say("Self-check: two scripted phones register and call each other.");
    const verdict = await selfCheck(house, nodes);
    say(`${verdict.passed ? "PASS" : "FAIL"}: ${verdict.reason}`);
    if (options.once) return verdict.passed ? 0 : 1;
    await watch(house, operator, nodes);
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** Raised by the first Ctrl-C, SIGTERM or SIGHUP; what comes later is ignored, because the stop is under way and ends by itself. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) process.stdout.write("\nStopping ...\n");
      controller.abort();
    });
  }
  return controller.signal;
}
