/** What a person needs once the cluster runs: where, who, how to log in, where to look. */
import { relative } from "node:path";
import type { Database } from "./database.ts";
import type { House } from "./house.ts";
import type { SipNode } from "./nodes.ts";
import type { Operator } from "./operator.ts";

/** Lines for the screen. */
export function summary(
  house: House,
  database: Database,
  operator: Operator,
  nodes: readonly SipNode[],
): string[] {
  const { address, port, examples } = house.options;
  const { logins } = house.exchange;
  const where = `${address}:${port}`;
  const widest = (texts: readonly string[], least: number): number =>
    texts.reduce((width, text) => Math.max(width, text.length), least);
  const nameWidth = widest(
    logins.map(({ username }) => username),
    8,
  );
  const addressWidth = widest(
    logins.map(({ username, domain }) => `sip:${username}@${domain}`),
    7,
  );
  const row = (user: string, sip: string, password: string) =>
    `    ${user.padEnd(nameWidth)}  ${sip.padEnd(addressWidth)}  ${password}`;
  return [
    "",
    `Strowger answers on ${where} (UDP).`,
    "",
    "  Log in with any softphone: user name and password as below, the domain after the @, outbound proxy",
    `  sip:${where};transport=udp`,
    "",
    row("user", "address", "password"),
    ...logins.map((login) =>
      row(login.username, `sip:${login.username}@${login.domain}`, login.password ?? "(not in the YAML)"),
    ),
    ...(logins.length === 0 ? ["    (no users yet)"] : []),
    "",
    ...nodes.map(
      (node) => `  ${node.name.padEnd(9)} pid ${String(node.child.pid).padEnd(8)} ${node.httpUrl}/metrics`,
    ),
    `  operator  pid ${String(operator.child.pid).padEnd(8)} ${operator.httpUrl}/status   watches ${examples}`,
    `  database  ${database.text}`,
    `  logs      ${relative(process.cwd(), house.folder) || house.folder}/logs/`,
    "",
  ];
}
