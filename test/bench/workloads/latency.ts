/** INVITE to 200 at half load: half of the rate that the slower of the two contestants sustains, the same for both. */
import type { BenchOptions } from "../options.ts";
import type { Maximum, Series } from "../results.ts";
import type { Stage } from "../stage.ts";
import { strowger, tuned } from "../contestants/names.ts";
import { runLoad } from "./loads.ts";

const rateWithoutMaxima = 500;

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
    contestants: [tuned, strowger],
  } as const;
  return runLoad(plan, stage, options, progress);
}
