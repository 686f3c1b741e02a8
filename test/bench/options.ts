/** The options of `npm run bench`. */
import { parseArgs } from "node:util";
import { udpEngines } from "../../sip-node/src/config/config-file.ts";

export const workloadNames = [
  "trusted",
  "challenged",
  "database",
  "register",
  "maximum",
  "latency",
  "memory",
  "nodes",
  "system-calls",
  "operator",
] as const;
export type WorkloadName = (typeof workloadNames)[number];

export interface BenchOptions {
  readonly quick: boolean;
  readonly only: ReadonlySet<WorkloadName>;
  /** Parts of contestants' names; empty: all. */
  readonly contestants: readonly string[];
  /** Calls or REGISTERs per second instead of those of the workload. */
  readonly rate: number | undefined;
  /** The measured time of one sample. */
  readonly seconds: number;
  /** The warm-up before it. */
  readonly warmUp: number;
  /** Before the first sample of Strowger with a kind of load: V8 compiles while it runs, and slow code would be measured. */
  readonly firstLoad: number;
  /** How many times each contestant is measured, alternately, at the rates of the goals. */
  readonly rounds: number;
  readonly profile: boolean;
  /** The UDP engine of the Strowger nodes. */
  readonly udp: "auto" | "dgram" | "batched";
  readonly json: string | undefined;
  readonly write: boolean;
  /** A file of `--json`: makes the page of it and measures nothing. */
  readonly from: string | undefined;
}

export const defaultRounds = 3;

export const usage = `npm run bench -- [options]
  --quick              fewer rates and shorter samples: under 2 minutes
  --only LIST          workloads: ${workloadNames.join(", ")};
                       operator takes 4 minutes and runs with --write or when it is named, system-calls needs strace and runs
                       only when it is named
  --contestants LIST   parts of the contestants' names, for example "strowger,tuned"; all other contestants are left out
  --rate N             calls or REGISTERs per second instead of the workload's rates
  --seconds N          measured seconds of a sample (default 3, quick 2)
  --warm-up N          seconds of the same load before each sample (default 1)
  --first-load N       seconds of load before Strowger's first sample of each kind: V8 compiles meanwhile (default 20, quick 8)
  --rounds N           samples of each contestant, alternately (default 3 at the rates of the goals, else 2; quick 2)
  --profile            writes profiles of the Strowger nodes to .strowger/profiles/: node test/bench/profile.ts prints them
  --udp ENGINE         the UDP engine of the Strowger nodes: auto (default), dgram or batched
  --json FILE          writes all results as JSON
  --write              writes docs/benchmarks.json and docs/benchmarks.md, with the operator; without it a run takes about 9 minutes
  --from FILE          with --write: takes the results from a file of --json and measures nothing
  --help`;

/** The options, or a problem for the user. */
export function readOptions(args: readonly string[]): BenchOptions | { readonly problem: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      contestants: { type: "string", default: "" },
      rate: { type: "string" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      "first-load": { type: "string" },
      rounds: { type: "string" },
      profile: { type: "boolean", default: false },
      udp: { type: "string", default: "auto" },
      json: { type: "string" },
      write: { type: "boolean", default: false },
      from: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return { problem: usage };
  const { quick, profile, write, json, from } = values;
  const udp = udpEngines.find((name) => name === values.udp);
  if (udp === undefined)
    return { problem: `--udp: expected one of ${udpEngines.join(", ")}, got "${values.udp}"` };
  const only = values.only === undefined ? defaultWorkloads(quick, write) : values.only.split(",");
  const unknown = only.find((name) => !(workloadNames as readonly string[]).includes(name));
  if (unknown !== undefined)
    return { problem: `--only: expected some of ${workloadNames.join(", ")}, got "${unknown}"` };
  const numbers = {
    rate: Number(values.rate ?? 0),
    seconds: Number(values.seconds ?? (quick ? 2 : 3)),
    warmUp: Number(values["warm-up"] ?? 1),
    firstLoad: Number(values["first-load"] ?? (quick ? 8 : 20)),
    rounds: Number(values.rounds ?? (quick ? 2 : defaultRounds)),
  };
  for (const [name, value] of Object.entries(numbers))
    if (!(value >= 0) || value > 100_000) return { problem: `--${name}: expected a number, got ${value}` };
  return {
    quick,
    profile,
    udp,
    write,
    json,
    from,
    ...numbers,
    rate: numbers.rate || undefined,
    only: new Set(only as WorkloadName[]),
    contestants: values.contestants.split(",").filter((text) => text !== ""),
  };
}

const defaultWorkloads = (quick: boolean, write: boolean): readonly WorkloadName[] =>
  quick
    ? ["trusted", "challenged", "register"]
    : workloadNames.filter((name) => name !== "system-calls" && (write || name !== "operator"));
