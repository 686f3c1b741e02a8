/** The text for the user after the start: address, logins, problems, processes, logs. */
import { relative } from "node:path";
import type { DatabaseAccess } from "./database.ts";
import type { Login } from "./exchange.ts";
import type { SipNode } from "./nodes.ts";
import { describeRetained, nameOf, type OperatorStatus } from "./operator-status.ts";
import type { Operator } from "./operator.ts";
import { listNotReady } from "./ready-logins.ts";
import type { UpDependencies } from "./up-dependencies.ts";

/** The maximum length of a list. */
const maxListed = 20;

/** The lines of the summary. */
export function buildSummary(
  deps: UpDependencies,
  database: DatabaseAccess,
  operator: Operator,
  nodes: readonly SipNode[],
  logins: readonly Login[],
  status: OperatorStatus | undefined,
): string[] {
  const { address, port, examples } = deps.options;
  const endpoint = `${address}:${port}`;
  return [
    "",
    `Strowger listens on ${endpoint} (UDP and TCP).`,
    "",
    "  Log in with any softphone: user name and password from this table, domain after the @, outbound proxy",
    `  sip:${endpoint};transport=udp  or  sip:${endpoint};transport=tcp`,
    "",
    ...buildLoginTable(logins),
    "",
    ...describeProblems(status, database.isPrivate),
    ...nodes.map(
      (node) => `  ${node.name.padEnd(9)} pid ${String(node.child.pid).padEnd(8)} ${node.httpUrl}/metrics`,
    ),
    `  operator  pid ${String(operator.child.pid).padEnd(8)} ${operator.httpUrl}/status   watches ${examples}`,
    `  database  ${database.description}`,
    `  logs      ${relative(process.cwd(), deps.dataFolder) || deps.dataFolder}/logs/`,
    "",
  ];
}

function buildLoginTable(logins: readonly Login[]): string[] {
  if (logins.length === 0) return ["    (no user can log in)"];
  const shown = logins.slice(0, maxListed);
  const addressOf = ({ username, domain }: Login): string => `sip:${username}@${domain}`;
  const nameWidth = columnWidth(
    shown.map(({ username }) => username),
    8,
  );
  const addressWidth = columnWidth(shown.map(addressOf), 7);
  const row = (user: string, sip: string, password: string): string =>
    `    ${user.padEnd(nameWidth)}  ${sip.padEnd(addressWidth)}  ${password}`;
  return [
    row("user", "address", "password"),
    ...shown.map((login) => row(login.username, addressOf(login), login.password ?? "(not in the YAML)")),
    ...countOfRest(logins),
  ];
}

const columnWidth = (texts: readonly string[], least: number): number =>
  texts.reduce((width, text) => Math.max(width, text.length), least);

/** The invalid objects, those that are not Ready and those that are retained; empty if there are none. */
export function describeProblems(status: OperatorStatus | undefined, isPrivate: boolean): string[] {
  if (status === undefined)
    return ["  The operator does not answer, so it is not known which users can log in. See its log.", ""];
  const lines = [
    ...section("Problems of the YAML", status.problems),
    ...section(
      "Not Ready",
      listNotReady(status).map((object) => `${nameOf(object)}: ${object.state}`),
    ),
    ...section("Deleted from the YAML", describeRetained(status.pendingRemovals)),
  ];
  const hint = isPrivate && isCausedByEarlierYaml(status) ? [freshHint] : [];
  return lines.length === 0 ? [] : [...lines, ...hint, ""];
}

const freshHint =
  "  The database has data of an earlier version of this YAML. To start with an empty database: npm start -- --fresh";

/** The YAML was valid at the start, so a problem comes from the comparison with the database. */
const isCausedByEarlierYaml = ({ problems, objects }: OperatorStatus): boolean =>
  problems.length > 0 || objects.some(({ state }) => state.startsWith("DatabaseTaken:"));

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0
    ? []
    : [`  ${title}:`, ...lines.slice(0, maxListed).map((line) => `    ${line}`), ...countOfRest(lines)];

const countOfRest = (all: readonly unknown[]): string[] =>
  all.length <= maxListed ? [] : [`    ... and ${all.length - maxListed} more`];
