/**
 * The state diagrams of `docs/diagrams/`, generated from the transaction tables of the node.
 *
 *   node docs/diagrams.ts           exits 1 and names each outdated diagram
 *   node docs/diagrams.ts --write   writes them
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cell, ignored } from "../sip-node/src/transaction/machine.ts";
import { inviteClient } from "../sip-node/src/transaction/invite-client.ts";
import { inviteServer } from "../sip-node/src/transaction/invite-server.ts";
import { nonInviteClient } from "../sip-node/src/transaction/non-invite-client.ts";
import { nonInviteServer } from "../sip-node/src/transaction/non-invite-server.ts";

interface Drawable {
  readonly name: string;
  readonly source: string;
  readonly begins: string;
  readonly initial: string;
  readonly start: readonly string[];
  readonly table: Readonly<Record<string, Readonly<Record<string, Cell<string, string>>>>>;
}

const machines: Readonly<Record<string, Drawable>> = {
  "invite-client": inviteClient,
  "non-invite-client": nonInviteClient,
  "invite-server": inviteServer,
  "non-invite-server": nonInviteServer,
};

/** Names of the diagrams in `folder` that are missing, outdated or without a table. With `write` they are written first. Sorted. */
export function staleDiagrams(folder: string, write = false): string[] {
  const stale = readdirSync(folder).filter((file) => !(file.replace(/\.md$/, "") in machines));
  for (const [name, machine] of Object.entries(machines)) {
    const file = join(folder, `${name}.md`);
    const text = buildDiagram(name, machine);
    if (write) writeFileSync(file, text);
    if (!existsSync(file) || readFileSync(file, "utf8") !== text) stale.push(`${name}.md`);
  }
  return stale.sort();
}

/** One arrow for each pair that is not ignored: `state --> next: event / actions`. */
function buildDiagram(name: string, machine: Drawable): string {
  const arrow = (from: string, next: string, event: string, actions: readonly string[]): string =>
    `  ${from} --> ${next}: ${event}${actions.length > 0 ? ` / ${actions.join(", ")}` : ""}`;
  const arrows = [arrow("[*]", machine.initial, machine.begins, machine.start)];
  for (const [state, row] of Object.entries(machine.table))
    for (const [event, cell] of Object.entries(row))
      if (cell !== ignored)
        arrows.push(arrow(state, cell.next === "Terminated" ? "[*]" : cell.next, event, cell.actions));
  const title = machine.name.charAt(0).toUpperCase() + machine.name.slice(1);
  return `# ${title}

${machine.source}. Generated from \`sip-node/src/transaction/${name}.ts\` by \`node docs/diagrams.ts --write\`. An event without an
arrow is ignored in that state. The end is the state Terminated.

\`\`\`mermaid
stateDiagram-v2
${arrows.join("\n")}
\`\`\`
`;
}

if (import.meta.main) {
  const stale = staleDiagrams(join(import.meta.dirname, "diagrams"), process.argv.includes("--write"));
  for (const file of stale) console.error(`docs/diagrams/${file} is outdated: node docs/diagrams.ts --write`);
  process.exitCode = stale.length > 0 ? 1 : 0;
}
