/** What a person needs once the cluster runs: where, who can log in and how, what is not as the YAML wants it, where to look. */
import { relative } from "node:path";
import type { Database } from "./database.ts";
import type { Login } from "./exchange.ts";
import type { House } from "./house.ts";
import type { SipNode } from "./nodes.ts";
import { keptLines, nameOf, type OperatorView } from "./operator-view.ts";
import type { Operator } from "./operator.ts";
import { notReady } from "./who-can-log-in.ts";

/** So many users, and so many objects that are not Ready, are listed. */
const mostLines = 20;

/** Lines for the screen. */
export function summary(
  house: House,
  database: Database,
  operator: Operator,
  nodes: readonly SipNode[],
  logins: readonly Login[],
  view: OperatorView | undefined,
): string[] {
  const { address, port, examples } = house.options;
  const where = `${address}:${port}`;
  return [
    "",
    `Strowger answers on ${where} (UDP).`,
    "",
    "  Log in with any softphone: user name and password as below, the domain after the @, outbound proxy",
    `  sip:${where};transport=udp`,
    "",
    ...table(logins),
    "",
    ...notAsWanted(view, database.server !== undefined),
    ...nodes.map(
      (node) => `  ${node.name.padEnd(9)} pid ${String(node.child.pid).padEnd(8)} ${node.httpUrl}/metrics`,
    ),
    `  operator  pid ${String(operator.child.pid).padEnd(8)} ${operator.httpUrl}/status   watches ${examples}`,
    `  database  ${database.text}`,
    `  logs      ${relative(process.cwd(), house.folder) || house.folder}/logs/`,
    "",
  ];
}

/** Of the users that can log in. */
function table(logins: readonly Login[]): string[] {
  if (logins.length === 0) return ["    (nobody can log in)"];
  const shown = logins.slice(0, mostLines);
  const addressOf = ({ username, domain }: Login): string => `sip:${username}@${domain}`;
  const nameWidth = widest(
    shown.map(({ username }) => username),
    8,
  );
  const addressWidth = widest(shown.map(addressOf), 7);
  const row = (user: string, sip: string, password: string): string =>
    `    ${user.padEnd(nameWidth)}  ${sip.padEnd(addressWidth)}  ${password}`;
  return [
    row("user", "address", "password"),
    ...shown.map((login) => row(login.username, addressOf(login), login.password ?? "(not in the YAML)")),
    ...more(logins),
  ];
}

const widest = (texts: readonly string[], least: number): number =>
  texts.reduce((width, text) => Math.max(width, text.length), least);

/** What the operator does not take, has not made as it should be, or has not removed; empty where all is well. */
export function notAsWanted(view: OperatorView | undefined, isPrivate: boolean): string[] {
  if (view === undefined) return ["  The operator does not say who can log in; its log tells why.", ""];
  const lines = [
    ...section("Problems of the YAML", view.problems),
    ...section(
      "Not Ready",
      notReady(view).map((object) => `${nameOf(object)}: ${object.state}`),
    ),
    ...section("Gone from the YAML", keptLines(view.leaving)),
  ];
  const hint = isPrivate && isOfEarlierYaml(view) ? [freshHint] : [];
  return lines.length === 0 ? [] : [...lines, ...hint, ""];
}

const freshHint =
  "  The database remembers earlier YAML of this folder. To begin with an empty one: npm start -- --fresh";

/** Before the operator began, the YAML was valid by itself. */
const isOfEarlierYaml = ({ problems, objects }: OperatorView): boolean =>
  problems.length > 0 || objects.some(({ state }) => state.startsWith("DatabaseTaken:"));

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0
    ? []
    : [`  ${title}:`, ...lines.slice(0, mostLines).map((line) => `    ${line}`), ...more(lines)];

const more = (all: readonly unknown[]): string[] =>
  all.length <= mostLines ? [] : [`    ... and ${all.length - mostLines} more`];
