/**
 * INVITE to 200 at half load: half of the rate that the slower of the two contestants sustains, the same for both. sipp makes the load, and
 * the latencies are those of `latency-probe-program.ts`.
 */
import { join } from "node:path";
import { startChild } from "../../support/child.ts";
import { strowger, tuned } from "../contestants/names.ts";
import type { LatencyPlan } from "../latency-probe-program.ts";
import type { Target } from "../load.ts";
import type { BenchOptions } from "../options.ts";
import type { Maximum, Sample, Series } from "../results.ts";
import type { Stage } from "../stage.ts";
import { percentile } from "../statistics.ts";
import { chosen, measureLoad, runAlternately } from "./loads.ts";

const rateWithoutMaxima = 500;
const probeRate = 50;
const program = join(import.meta.dirname, "../latency-probe-program.ts");

export function measureLatency(
  stage: Stage,
  options: BenchOptions,
  maxima: readonly Maximum[],
  progress: (text: string) => void,
): Promise<Series[]> {
  const sustained = maxima.filter(({ load, rate }) => load === "trusted" && rate > 0).map(({ rate }) => rate);
  const half = sustained.length === 0 ? rateWithoutMaxima : Math.round(Math.min(...sustained) / 2);
  const plan = {
    load: "latency",
    kind: "trusted",
    rate: options.rate ?? half,
    contestants: chosen([tuned, strowger], options),
    rounds: options.rounds,
  } as const;
  return runAlternately(plan, stage, progress, async (target) => {
    const [sample, latencies] = await Promise.all([
      measureLoad(target, plan, options),
      probe(target, options),
    ]);
    return withLatencies(sample, latencies);
  });
}

/** The probe begins with the warm-up, and ends at about the time of the measured load. */
async function probe(target: Target, { warmUp, seconds }: BenchOptions): Promise<number[]> {
  const plan: LatencyPlan = { server: target.callers, rate: probeRate, skip: warmUp, seconds };
  const child = startChild(process.execPath, [program, JSON.stringify(plan)], {});
  const status = await child.exited;
  if (status !== 0)
    throw new Error(`the latency probe ended with status ${status}:\n${child.output().slice(-2000)}`);
  return JSON.parse(child.output()) as number[];
}

const withLatencies = (sample: Sample, latencies: readonly number[]): Sample => ({
  ...sample,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
});
