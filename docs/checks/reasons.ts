/**
 * Checks the operator's reasons against the pages that explain them. A page names a reason in back-quotes at the beginning of a list item
 * (`- \`A\`, \`B\`: ...`) or in the first cell of a table's row.
 */
import { everyReason } from "../../operator/src/runtime/reason.ts";
import { cellsOf, codeIn, readMarkdown } from "./markdown.ts";
import type { Tree } from "./tree.ts";

const listed = "operator/src/runtime/reason.ts";
const page = /^docs\/runbooks\/(condition-\w+|events)\.md$/;
/** The statuses of conditions. */
const statuses = ["True", "False", "Unknown"];

interface Entry {
  readonly place: string;
  readonly reason: string;
}

/** One line for each reason that is not explained, that is explained but not listed, or that is listed but not used. */
export function reasonProblems(tree: Tree, reasons: readonly string[] = everyReason): string[] {
  const entries = tree.files.filter((path) => page.test(path)).flatMap((path) => entriesOf(path, tree));
  const explained = new Set(entries.map(({ reason }) => reason));
  const code = tree.files
    .filter((path) => /^operator\/src\/.+\.ts$/.test(path) && !path.endsWith(".test.ts") && path !== listed)
    .map((path) => tree.read(path))
    .join("\n");
  return [
    ...reasons
      .filter((reason) => !explained.has(reason))
      .map((reason) => `docs/runbooks: no condition-*.md or events.md explains the reason ${reason}`),
    ...entries
      .filter(({ reason }) => !reasons.includes(reason))
      .map(({ place, reason }) => `${place}: ${reason} is not a reason in ${listed}`),
    ...reasons
      .filter((reason) => !code.includes(`"${reason}"`))
      .map((reason) => `${listed}: no code uses the reason ${reason}`),
  ];
}

function entriesOf(path: string, tree: Tree): readonly Entry[] {
  return readMarkdown(tree.read(path)).prose.flatMap(({ number, text }) =>
    codeIn(headOf(text))
      .filter((code) => /^[A-Z]\w+$/.test(code) && !statuses.includes(code))
      .map((reason) => ({ place: `${path}:${number}`, reason })),
  );
}

/** The part of a line that names reasons; empty if it names none. */
const headOf = (line: string): string =>
  cellsOf(line)?.[0] ?? /^- ((`\w+`(, | and )?)+)/.exec(line)?.[1] ?? "";
