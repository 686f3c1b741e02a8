/** `npm run bench`: Strowger beside Debian's Kamailio on the same MariaDB, under the same load of sipp. `--help` lists the options. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { installTools } from "../../cli/src/setup/install-tools.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { benchmarksPage } from "./page.ts";
import type { Results } from "./results.ts";
import { run } from "./run.ts";

const options = readOptions(process.argv.slice(2));
if ("problem" in options) {
  console.error(options.problem);
  process.exit(process.argv.includes("--help") ? 0 : 2);
}
const results = options.from === undefined ? await measured(options) : readResults(options.from);
if (options.json !== undefined) writeFileSync(options.json, asJson(results));
const page = benchmarksPage(results);
if (options.write) {
  const docs = resolve(import.meta.dirname, "../../docs");
  writeFileSync(join(docs, "benchmarks.json"), asJson(results));
  writeFileSync(join(docs, "benchmarks.md"), page);
}
console.log(page);
process.exitCode = results.problems === undefined ? 0 : 1;

async function measured(options: BenchOptions): Promise<Results> {
  const problem = await installTools(["mariadb", "sipp", "kamailio"]);
  if (problem !== undefined) {
    console.error(problem);
    process.exit(1);
  }
  const started = performance.now();
  const progress = (text: string): void => {
    const seconds = Math.round((performance.now() - started) / 1000);
    console.error(`${String(seconds).padStart(4)} s  ${text}`);
  };
  return run(options, progress);
}

function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, "utf8")) as Results;
}

function asJson(value: Results): string {
  return `${JSON.stringify(value, undefined, 1)}\n`;
}
