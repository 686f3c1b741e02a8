/**
 * `npm run docs:check` checks the documents against the code, with one report.
 *
 *   node docs/check.ts           exits 1 and names each place where a document is wrong
 *   node docs/check.ts --write   first writes the generated documents: docs/diagrams/ and docs/metrics.md
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { staleBenchmarksPage } from "./checks/benchmarks-page.ts";
import { missingRules } from "./checks/design-rules.ts";
import { metricsPage, metricsPath } from "./checks/metrics-page.ts";
import { staleQuotes } from "./checks/quotes.ts";
import { reasonProblems } from "./checks/reasons.ts";
import { brokenReferences } from "./checks/references.ts";
import { rfcMapProblems } from "./checks/rfc-map.ts";
import { exists, readTree, type Tree } from "./checks/tree.ts";
import { droppedWordProblems } from "./checks/words.ts";
import { staleDiagrams } from "./diagrams.ts";

/** One line for each problem; empty if there is none. `staleDiagrams` checks the diagrams, because it reads its folder itself. */
export const documentProblems = (tree: Tree): string[] => [
  ...staleMetricsPage(tree),
  ...staleBenchmarksPage(tree),
  ...rfcMapProblems(tree),
  ...staleQuotes(tree),
  ...brokenReferences(tree),
  ...missingRules(tree),
  ...reasonProblems(tree),
  ...droppedWordProblems(tree),
];

const staleMetricsPage = (tree: Tree): string[] =>
  exists(tree, metricsPath) && tree.read(metricsPath) === metricsPage()
    ? []
    : [`${metricsPath} is outdated: npm run docs:write`];

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const isWriting = process.argv.includes("--write");
  if (isWriting) writeFileSync(join(root, metricsPath), metricsPage());
  const stale = staleDiagrams(join(root, "docs/diagrams"), isWriting);
  const problems = [
    ...stale.map((file) => `docs/diagrams/${file} is outdated: npm run docs:write`),
    ...documentProblems(readTree(root)),
  ];
  for (const problem of problems) console.error(problem);
  console.error(problems.length === 0 ? "documents: no problems" : `documents: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
