/** Runs the chosen workloads one after the other. A workload that fails is reported, and the others run. */
import { commit, machine, versions } from "./environment.ts";
import type { BenchOptions, WorkloadName } from "./options.ts";
import type { Maximum, Memory, OperatorResult, Results, Series, SystemCalls } from "./results.ts";
import { Stage } from "./stage.ts";
import { measureLatency } from "./workloads/latency.ts";
import { loadPlans, runLoad } from "./workloads/loads.ts";
import { findMaxima } from "./workloads/maximum.ts";
import { measureMemory } from "./workloads/memory.ts";
import { measureNodes } from "./workloads/nodes.ts";
import { countSystemCalls } from "./workloads/system-calls.ts";
import { measureOperator } from "./workloads/operator.ts";

const onStage: readonly WorkloadName[] = [
  "trusted",
  "challenged",
  "database",
  "register",
  "maximum",
  "latency",
  "system-calls",
  "memory",
];

export async function run(options: BenchOptions, progress: (text: string) => void): Promise<Results> {
  const { only, seconds, rounds } = options;
  const start = { date: new Date().toISOString().slice(0, 16), commit: commit() };
  const series: Series[] = [];
  const maxima: Maximum[] = [];
  const memory: Memory[] = [];
  const systemCalls: SystemCalls[] = [];
  const problems: string[] = [];
  let operator: OperatorResult | undefined;

  const attempt = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      problems.push(`${name}: ${text.split("\n")[0] ?? ""}`);
      progress(`${name} failed: ${text}`);
    }
  };
  const loads = async (): Promise<void> => {
    await using stage = await Stage.start(options);
    progress("the database and the node run");
    for (const plan of loadPlans(options))
      await attempt(plan.load, async () => series.push(...(await runLoad(plan, stage, options, progress))));
    if (only.has("maximum"))
      await attempt("maximum", async () => maxima.push(...(await findMaxima(stage, options, progress))));
    if (only.has("latency"))
      await attempt("latency", async () =>
        series.push(...(await measureLatency(stage, options, maxima, progress))),
      );
    if (only.has("system-calls"))
      await attempt("system-calls", async () =>
        systemCalls.push(...(await countSystemCalls(stage, options, progress))),
      );
    // The last one: it ends the node.
    if (only.has("memory"))
      await attempt("memory", async () => memory.push(...(await measureMemory(stage, options, progress))));
  };

  if (onStage.some((name) => only.has(name))) await attempt("start", loads);
  if (only.has("nodes"))
    await attempt("nodes", async () => series.push(...(await measureNodes(options, progress))));
  if (only.has("operator"))
    await attempt("operator", async () => (operator = await measureOperator(progress)));
  return {
    ...start,
    machine: machine(),
    versions: versions(),
    seconds,
    rounds,
    series,
    maxima,
    memory,
    ...(systemCalls.length === 0 ? {} : { systemCalls }),
    ...(operator === undefined ? {} : { operator }),
    ...(problems.length === 0 ? {} : { problems }),
  };
}
