/** The highest rate that a contestant sustains: no failure, hardly a retransmission, and sipp reaches the rate. */
import { findMaximum } from "../find-maximum.ts";
import { measure } from "../load.ts";
import type { BenchOptions } from "../options.ts";
import { chosen } from "./loads.ts";
import type { Maximum, Sample } from "../results.ts";
import type { Stage } from "../stage.ts";
import { strowger, tuned } from "../contestants/names.ts";

const seconds = 1.5;
const maxRetransmissionShare = 0.005;
const minAchievedShare = 0.94;
const saturated = 0.97;

const searches = [
  { load: "trusted", contestants: [tuned, strowger], first: 2000, limit: 8_000 },
  {
    load: "register",
    contestants: [tuned, `${tuned}, 8 children`, strowger],
    first: 2000,
    limit: 16_000,
  },
] as const;

export async function findMaxima(
  stage: Stage,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<Maximum[]> {
  const maxima: Maximum[] = [];
  for (const { load, contestants, first, limit } of searches)
    for (const contestant of chosen(contestants, options)) {
      const target = await stage.target(contestant);
      let isLoadLimited = false;
      const attempt = async (rate: number): Promise<string | undefined> => {
        const sample = await measure(target, { kind: load, rate, seconds, warmUp: 0.5 });
        const problem = problemOf(sample, rate);
        if (problem !== undefined) isLoadLimited = sample.busy > saturated;
        progress(`maximum of ${load}, ${contestant}: ${rate}/s ${problem ?? "sustained"}`);
        return problem;
      };
      const found = await findMaximum({ first, limit, bisections: options.quick ? 1 : 2 }, attempt);
      maxima.push({ load, contestant, ...found, isLoadLimited });
    }
  return maxima;
}

function problemOf(
  { failed, retransmissions, finished, achieved }: Sample,
  rate: number,
): string | undefined {
  if (failed > 0) return `${failed} failed`;
  if (retransmissions > finished * maxRetransmissionShare) return `${retransmissions} retransmissions`;
  if (achieved < rate * minAchievedShare) return `sipp reached only ${Math.round(achieved)}/s`;
  return undefined;
}
