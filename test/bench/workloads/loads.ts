/** Measures contestants alternately (A B A B ...) under the same load, so that a ratio compares samples of the same seconds. */
import { readsDatabase, shipped, strowger, tuned } from "../contestants/names.ts";
import { type Load, measure } from "../load.ts";
import type { BenchOptions } from "../options.ts";
import type { LoadName, Sample, Series } from "../results.ts";
import type { Stage } from "../stage.ts";

export interface LoadPlan {
  readonly load: LoadName;
  readonly kind: Load["kind"];
  readonly rate: number;
  readonly contestants: readonly string[];
}

const all = [shipped, tuned, strowger];

/** The loads of the chosen workloads, in their order. */
export function loadPlans({ only, quick, rate, contestants }: BenchOptions): LoadPlan[] {
  const callRates = rate === undefined ? (quick ? [1000] : [200, 500, 1000]) : [rate];
  const plans: LoadPlan[] = [];
  for (const kind of ["trusted", "challenged"] as const) {
    if (only.has(kind))
      plans.push(...callRates.map((each) => ({ load: kind, kind, rate: each, contestants: all })));
    if (only.has("database")) {
      const readers = [shipped, tuned].map((name) => `${name}${readsDatabase}`);
      plans.push({ load: kind, kind, rate: rate ?? 500, contestants: readers });
    }
  }
  if (only.has("register"))
    plans.push({ load: "register", kind: "register", rate: rate ?? 800, contestants: all });
  const isChosen = (name: string): boolean =>
    contestants.length === 0 || contestants.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  return plans.map((plan) => ({ ...plan, contestants: plan.contestants.filter(isChosen) }));
}

/** One series for each contestant. */
export async function runLoad(
  plan: LoadPlan,
  stage: Stage,
  { seconds, warmUp, rounds }: BenchOptions,
  progress: (text: string) => void,
): Promise<Series[]> {
  const samples = new Map<string, Sample[]>(plan.contestants.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const [name, list] of samples) {
      const target = await stage.target(name);
      const sample = await measure(target, { kind: plan.kind, rate: plan.rate, seconds, warmUp });
      list.push(sample);
      progress(`${plan.load} ${plan.rate}/s, round ${round}, ${name}: ${sampleText(sample)}`);
    }
  return [...samples].map(([contestant, list]) => ({
    load: plan.load,
    contestant,
    rate: plan.rate,
    samples: list,
  }));
}

export function sampleText(sample: Sample): string {
  const { server, database, sipp, failed, retransmissions, achieved, busy, foreign, p50, p99 } = sample;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    `${Math.round(server)} + ${Math.round(database)} µs`,
    `sipp ${Math.round(sipp)} µs`,
    `${Math.round(achieved)}/s`,
    `p50 ${p50} p99 ${p99} ms`,
    `${failed} failed`,
    `${retransmissions} retransmissions`,
    `machine ${percent(busy)} busy (${percent(foreign)} others)`,
  ].join(", ");
}
