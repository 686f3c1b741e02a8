/** Prints the exchange's counters once a second, and a line for each change that follows from a saved file. */
import { setTimeout as sleep } from "node:timers/promises";
import { fingerprint } from "../../../operator/src/sources/files/read-objects.ts";
import type { Login } from "./exchange.ts";
import { loadExchange } from "./load-exchange.ts";
import type { SipNode } from "./nodes.ts";
import { describeChanges, fetchOperatorStatus, mergeStatus, type OperatorStatus } from "./operator-status.ts";
import type { Operator } from "./operator.ts";
import { selectReadyLogins } from "./ready-logins.ts";
import { Traffic } from "./traffic.ts";
import type { UpDependencies } from "./up-dependencies.ts";

/**
 * Returns when `stop` is raised. On a terminal the counters are one line that is rewritten; otherwise a line is printed only when they
 * change. `status` is the operator's last status that was printed.
 */
export async function watch(
  deps: UpDependencies,
  operator: Operator,
  nodes: readonly SipNode[],
  status: OperatorStatus | undefined,
): Promise<void> {
  const traffic = new Traffic(nodes, operator.httpUrl);
  let logins = deps.exchange.logins;
  let files = await fingerprint(deps.options.examples);
  let printed = "";
  deps.print("Watching: save a file to change the exchange, press Ctrl-C to stop everything.");
  while (!deps.stop.aborted) {
    const [statusNow, filesNow] = [
      await fetchOperatorStatus(operator.httpUrl),
      await fingerprint(deps.options.examples),
    ];
    const merged = statusNow && (status === undefined ? statusNow : mergeStatus(status, statusNow));
    const lines = status && merged ? describeChanges(status, merged) : [];
    status = merged ?? status;
    if (filesNow !== files) {
      const loginsNow = (await loadExchange(deps.options.examples, deps.dataFolder).catch(() => undefined))
        ?.logins;
      const readyLogins = selectReadyLogins(loginsNow ?? logins, status);
      for (const line of describeNewPasswords(logins, readyLogins)) lines.push(line);
      [files, logins] = [filesNow, loginsNow ?? logins];
    }
    await traffic.update();
    for (const line of lines) deps.print(`${timeOfDay()}  ${line}`);
    const text = traffic.describe();
    if (process.stdout.isTTY)
      process.stdout.write(`\r\x1b[K${timeOfDay()}  ${text}`.slice(0, process.stdout.columns + 4));
    else if (text !== printed) deps.print(`${timeOfDay()}  ${text}`);
    printed = text;
    await sleep(1000, undefined, { signal: deps.stop }).catch(() => undefined);
  }
}

function describeNewPasswords(before: readonly Login[], now: readonly Login[]): string[] {
  const addressOf = ({ username, domain }: Login) => `${username}@${domain}`;
  const oldPasswords = new Map(before.map((login) => [addressOf(login), login.password]));
  const changed = now.filter(
    (login) => oldPasswords.has(addressOf(login)) && oldPasswords.get(addressOf(login)) !== login.password,
  );
  return changed.map((login) => `${addressOf(login)} logs in with the new password`);
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}
