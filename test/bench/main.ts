/** `npm run bench`: Strowger beside Debian's Kamailio on the same MariaDB, under the same load of sipp. `--help` lists the options. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { installTools } from "../../cli/src/setup/install-tools.ts";
import { commit, machine, versions } from "./environment.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { benchmarksPage } from "./page.ts";
import type { Results } from "./results.ts";
import { Stage } from "./stage.ts";
import { loadPlans, runLoad } from "./workloads/loads.ts";
import { findMaxima } from "./workloads/maximum.ts";
import { measureLatency } from "./workloads/latency.ts";
import { measureMemory } from "./workloads/memory.ts";
import { measureNodes } from "./workloads/nodes.ts";
import { measureOperator } from "./workloads/operator.ts";

const started = performance.now();
const progress = (text: string): void => {
  const seconds = Math.round((performance.now() - started) / 1000);
  console.error(`${String(seconds).padStart(4)} s  ${text}`);
};

const options = readOptions(process.argv.slice(2));
if ("problem" in options) {
  console.error(options.problem);
  process.exit(process.argv.includes("--help") ? 0 : 2);
}
const results =
  options.from === undefined
    ? await run(options)
    : (JSON.parse(readFileSync(options.from, "utf8")) as Results);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, undefined, 1)}\n`);
if (options.write) writePage(results);
console.log(benchmarksPage(results));
progress("done");

async function run(options: BenchOptions): Promise<Results> {
  const problem = await installTools(["mariadb", "sipp", "kamailio"]);
  if (problem !== undefined) throw new Error(problem);
  const { only, seconds, rounds } = options;
  let results: Results = {
    date: new Date().toISOString().slice(0, 16),
    commit: commit(),
    machine: machine(),
    versions: versions(),
    seconds,
    rounds,
    series: [],
    maxima: [],
    memory: [],
  };
  if (
    ["trusted", "challenged", "database", "register", "maximum", "latency", "memory"].some((name) =>
      (only as ReadonlySet<string>).has(name),
    )
  ) {
    await using stage = await Stage.start(options.profile);
    progress("the database and the node run");
    for (const plan of loadPlans(options))
      results = {
        ...results,
        series: [...results.series, ...(await runLoad(plan, stage, options, progress))],
      };
    if (only.has("maximum")) results = { ...results, maxima: await findMaxima(stage, options, progress) };
    if (only.has("latency"))
      results = {
        ...results,
        series: [...results.series, ...(await measureLatency(stage, options, results.maxima, progress))],
      };
    if (only.has("memory")) results = { ...results, memory: await measureMemory(stage, options, progress) };
  }
  if (only.has("nodes"))
    results = { ...results, series: [...results.series, ...(await measureNodes(options, progress))] };
  const operator = only.has("operator") ? await measureOperator(progress) : undefined;
  return operator === undefined ? results : { ...results, operator };
}

function writePage(results: Results): void {
  const docs = resolve(import.meta.dirname, "../../docs");
  writeFileSync(join(docs, "benchmarks.json"), `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(join(docs, "benchmarks.md"), benchmarksPage(results));
}
