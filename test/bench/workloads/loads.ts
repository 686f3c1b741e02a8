/** Measures contestants alternately (A B A B ...) under the same load, so that a ratio compares samples of the same seconds. */
import { readsDatabase, shipped, strowger, tuned } from "../contestants/names.ts";
import { type Load, measure, type Target } from "../load.ts";
import { type BenchOptions, defaultRounds } from "../options.ts";
import type { LoadName, Sample, Series } from "../results.ts";
import type { Stage } from "../stage.ts";

export interface LoadPlan {
  readonly load: LoadName;
  readonly kind: Load["kind"];
  readonly rate: number;
  readonly contestants: readonly string[];
  readonly rounds: number;
  /** No goal depends on it: shorter samples are enough. */
  readonly isShort?: boolean;
}

/** The rates of the goals. */
const callRate = 1000;
const registerRate = 800;
const readingRate = 500;

/** The loads of the chosen workloads, in their order. */
export function loadPlans(options: BenchOptions): LoadPlan[] {
  const { only, quick, rate, rounds } = options;
  const otherRounds = rounds === defaultRounds ? 2 : rounds; // the whole run stays under 10 minutes
  const contestants = chosen([shipped, tuned, strowger], options);
  const readers = chosen([`${tuned}${readsDatabase}`], options);
  const rates = rate === undefined ? (quick ? [callRate] : [200, 500, callRate]) : [rate];
  const plans: LoadPlan[] = [];
  for (const kind of ["trusted", "challenged"] as const) {
    const calls = rates.map((each) =>
      each === callRate ? { rate: each, rounds } : { rate: each, rounds: otherRounds, isShort: true },
    );
    if (only.has(kind)) plans.push(...calls.map((each) => ({ load: kind, kind, contestants, ...each })));
    if (only.has("database"))
      plans.push({
        ...{ load: kind, kind, contestants: readers },
        ...{ rate: rate ?? readingRate, rounds: otherRounds, isShort: true },
      });
  }
  if (only.has("register"))
    plans.push({ load: "register", kind: "register", contestants, rate: rate ?? registerRate, rounds });
  return plans;
}

/** The names that contain one of `--contestants`; all without that option. */
export const chosen = (names: readonly string[], { contestants }: BenchOptions): string[] =>
  names.filter(
    (name) =>
      contestants.length === 0 || contestants.some((part) => name.toLowerCase().includes(part.toLowerCase())),
  );

export async function runLoad(
  plan: LoadPlan,
  stage: Stage,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<Series[]> {
  if (plan.contestants.includes(strowger) && stage.isFirstOf(plan.kind)) {
    const seconds = plan.kind === "trusted" ? options.firstLoad : options.firstLoad / 2; // most code is compiled
    const rate = options.rate ?? (plan.kind === "register" ? registerRate : callRate);
    progress(`${plan.kind}: ${seconds} s of load for ${strowger}, ${rate}/s`);
    await measure(await stage.target(strowger), { kind: plan.kind, rate, seconds, warmUp: 0 });
  }
  return runAlternately(plan, stage, progress, (target) => measureLoad(target, plan, options));
}

export const measureLoad = (
  target: Target,
  { kind, rate, isShort }: LoadPlan,
  { seconds, warmUp }: BenchOptions,
): Promise<Sample> =>
  measure(target, {
    ...{ kind, rate },
    ...(isShort === true ? { seconds: (seconds * 2) / 3, warmUp: warmUp / 2 } : { seconds, warmUp }),
  });

/** One series for each contestant. */
export async function runAlternately(
  plan: LoadPlan,
  stage: Stage,
  progress: (text: string) => void,
  sampleOf: (target: Target) => Promise<Sample>,
): Promise<Series[]> {
  const samples = new Map<string, Sample[]>(plan.contestants.map((name) => [name, []]));
  for (let round = 1; round <= plan.rounds; round++)
    for (const [name, list] of samples) {
      const sample = await sampleOf(await stage.target(name));
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
  const errors = sample.errors === undefined ? [] : [`sipp: ${sample.errors}`];
  return [
    `${Math.round(server)} + ${Math.round(database)} µs`,
    `sipp ${Math.round(sipp)} µs`,
    `${Math.round(achieved)}/s`,
    `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms`,
    `${failed} failed`,
    `${retransmissions} retransmissions`,
    `machine ${percent(busy)} busy (${percent(foreign)} others)`,
    ...errors,
  ].join(", ");
}
