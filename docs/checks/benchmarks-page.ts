/** docs/benchmarks.md is made from docs/benchmarks.json by `npm run bench -- --write`. Whether the numbers are recent is not checked. */
import { benchmarksPage } from "../../test/bench/page.ts";
import type { Results } from "../../test/bench/results.ts";
import { exists, type Tree } from "./tree.ts";

export const benchmarksPath = "docs/benchmarks.md";
export const benchmarkResultsPath = "docs/benchmarks.json";

export function staleBenchmarksPage(tree: Tree): string[] {
  const page = benchmarksPage(JSON.parse(tree.read(benchmarkResultsPath)) as Results);
  return exists(tree, benchmarksPath) && tree.read(benchmarksPath) === page
    ? []
    : [
        `${benchmarksPath} has not the form that test/bench/page.ts writes: npm run bench -- --write --from ${benchmarkResultsPath}`,
      ];
}
