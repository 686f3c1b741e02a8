/** The cluster at work: once a second what the nodes' metrics say, and a line for everything that a saved file changed. */
import { setTimeout as sleep } from "node:timers/promises";
import { fingerprint } from "../../../operator/src/sources/files/read-objects.ts";
import type { Login } from "./exchange.ts";
import type { House } from "./house.ts";
import { loadExchange } from "./load-exchange.ts";
import type { SipNode } from "./nodes.ts";
import { follow, news, viewOperator, type OperatorView } from "./operator-view.ts";
import type { Operator } from "./operator.ts";
import { Traffic } from "./traffic.ts";
import { whoCanLogIn } from "./who-can-log-in.ts";

/**
 * Returns when the user wants to stop. A terminal gets one line that lives; a pipe gets a line only when something changed. `view` is what was
 * said of the operator last.
 */
export async function watch(
  house: House,
  operator: Operator,
  nodes: readonly SipNode[],
  view: OperatorView | undefined,
): Promise<void> {
  const traffic = new Traffic(nodes, operator.httpUrl);
  let logins = house.exchange.logins;
  let files = await fingerprint(house.options.examples);
  let shown = "";
  house.say("Watching; save a file to change the exchange, Ctrl-C to stop everything.");
  while (!house.stop.aborted) {
    const [viewNow, filesNow] = [
      await viewOperator(operator.httpUrl),
      await fingerprint(house.options.examples),
    ];
    const followed = viewNow && (view === undefined ? viewNow : follow(view, viewNow));
    const lines = view && followed ? news(view, followed) : [];
    view = followed ?? view;
    if (filesNow !== files) {
      const loginsNow = (await loadExchange(house.options.examples, house.folder).catch(() => undefined))
        ?.logins;
      const canLogIn = whoCanLogIn(loginsNow ?? logins, view);
      for (const line of newPasswords(logins, canLogIn)) lines.push(line);
      [files, logins] = [filesNow, loginsNow ?? logins];
    }
    await traffic.update();
    for (const line of lines) house.say(`${clock()}  ${line}`);
    const text = traffic.text();
    if (process.stdout.isTTY)
      process.stdout.write(`\r\x1b[K${clock()}  ${text}`.slice(0, process.stdout.columns + 4));
    else if (text !== shown) house.say(`${clock()}  ${text}`);
    shown = text;
    await sleep(1000, undefined, { signal: house.stop }).catch(() => undefined);
  }
}

function newPasswords(before: readonly Login[], now: readonly Login[]): string[] {
  const nameOf = ({ username, domain }: Login) => `${username}@${domain}`;
  const old = new Map(before.map((login) => [nameOf(login), login.password]));
  const changed = now.filter((login) => old.has(nameOf(login)) && old.get(nameOf(login)) !== login.password);
  return changed.map((login) => `${nameOf(login)} logs in with the new password`);
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}
