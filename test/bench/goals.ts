/** The goals of the product, and what a run found for each. Pure. */
import { acrossTwo, shipped, strowger, tuned, withinOneOfTwo } from "./contestants/names.ts";
import { ratios, spread, type Spread } from "./statistics.ts";
import type { LoadName, Results, Sample, Series } from "./results.ts";

export interface GoalResult {
  readonly work: string;
  readonly against: string;
  /** The highest allowed value, or the lowest if `isAtLeast`. */
  readonly goal: number;
  readonly isAtLeast: boolean;
  readonly unit: string;
  /** Undefined: not measured, or calls failed. */
  readonly result: Spread | undefined;
}

export const isMet = ({ goal, isAtLeast, result }: GoalResult): boolean | undefined =>
  result === undefined ? undefined : isAtLeast ? result.median >= goal : result.median <= goal;

export const goalResults = (results: Results): GoalResult[] => [
  atMost(
    0.4,
    "call, no challenge, 1000/s, with MariaDB",
    shipped,
    cpuRatio(results, "trusted", 1000, shipped),
  ),
  atMost(1.3, "call, no challenge, 1000/s, with MariaDB", tuned, cpuRatio(results, "trusted", 1000, tuned)),
  atMost(
    1.3,
    "call with proxy authentication, 1000/s, with MariaDB",
    tuned,
    cpuRatio(results, "challenged", 1000, tuned),
  ),
  atMost(
    1,
    "durable REGISTER with digest, 800/s, with MariaDB",
    tuned,
    cpuRatio(results, "register", 800, tuned),
  ),
  {
    ...atMost(
      3,
      "durable REGISTER with digest, sustainable rate",
      "Kamailio, best number of children",
      maximumRatio(results),
    ),
    isAtLeast: true,
  },
  atMost(
    1.2,
    "p99 of INVITE to 200 at half load",
    tuned,
    ratioOf(results, "latency", undefined, strowger, tuned, ({ p99 }) => p99),
  ),
  atMost(
    1.5,
    "call between phones of different nodes, CPU of all nodes",
    "the same on one node",
    ratioOf(results, "nodes", undefined, acrossTwo, withinOneOfTwo, ({ server }) => server),
  ),
  {
    ...atMost(1.5, "memory of a node per binding, at 100,000", "–", bytesPerBinding(results, strowger)),
    unit: "kB",
  },
  { ...atMost(1.5, "operator, 10,000 SipUsers: time", "API server alone", operatorRatio(results)) },
  {
    ...atMost(10, "operator, 10,000 SipUsers: memory per SipUser", "–", operatorMemory(results)),
    unit: "kB",
  },
];

const atMost = (goal: number, work: string, against: string, result: Spread | undefined): GoalResult => ({
  work,
  against,
  goal,
  isAtLeast: false,
  unit: "×",
  result,
});

/** A series with a failed call is not valid. */
export const isValid = ({ samples }: Series): boolean => samples.every(({ failed }) => failed === 0);

export function findSeries(
  results: Results,
  load: LoadName,
  contestant: string,
  rate?: number,
): Series | undefined {
  return results.series.find(
    (series) =>
      series.load === load &&
      series.contestant === contestant &&
      (rate === undefined || series.rate === rate),
  );
}

/** The spread of one contestant's ratio to another, round by round. Undefined if one was not measured or is not valid. */
export function ratioOf(
  results: Results,
  load: LoadName,
  rate: number | undefined,
  contestant: string,
  reference: string,
  value: (sample: Sample) => number,
): Spread | undefined {
  const own = findSeries(results, load, contestant, rate);
  const other = findSeries(results, load, reference, rate);
  if (own === undefined || other === undefined || !isValid(own) || !isValid(other)) return undefined;
  return ratios(own.samples.map(value), other.samples.map(value));
}

export const cost = ({ server, database }: Sample): number => server + database;

const cpuRatio = (results: Results, load: LoadName, rate: number, reference: string): Spread | undefined =>
  ratioOf(results, load, rate, strowger, reference, cost);

function maximumRatio({ maxima }: Results): Spread | undefined {
  const registers = maxima.filter(({ load }) => load === "register");
  const own = registers.find(({ contestant }) => contestant === strowger)?.rate;
  const others = registers.filter(({ contestant }) => contestant !== strowger).map(({ rate }) => rate);
  return own === undefined || others.length === 0 ? undefined : spread([own / Math.max(...others)]);
}

/** In kB (1000 bytes), from the difference to a start without bindings. */
export function bytesPerBinding(
  { memory }: Results,
  contestant: string,
  bindings = 100_000,
): Spread | undefined {
  const bytesWith = (count: number): number | undefined =>
    memory.find((one) => one.contestant === contestant && one.bindings === count)?.bytes;
  const [empty, full] = [bytesWith(0), bytesWith(bindings)];
  return empty === undefined || full === undefined ? undefined : spread([(full - empty) / bindings / 1000]);
}

const operatorRatio = ({ operator }: Results): Spread | undefined =>
  operator === undefined ? undefined : spread([operator.seconds / operator.apiServerSeconds]);

const operatorMemory = ({ operator }: Results): Spread | undefined =>
  operator === undefined ? undefined : spread([operator.bytesPerUser / 1000]);
