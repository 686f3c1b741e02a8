/** What a run of the benchmark found, as `--json` writes it. */

/** One measurement of one contestant. Processor times are microseconds for each call or REGISTER. */
export interface Sample {
  /** Finished calls or REGISTERs. */
  readonly finished: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** Calls or REGISTERs per second that sipp achieved. */
  readonly achieved: number;
  readonly server: number;
  readonly database: number;
  readonly sipp: number;
  /** The share of all processors that was busy, and the share of processes that do not belong to the benchmark; 0 to 1. */
  readonly busy: number;
  readonly foreign: number;
  /** Milliseconds of INVITE or REGISTER to 200, with sipp's own delay. */
  readonly p50: number;
  readonly p99: number;
  /** The most frequent errors of sipp, if something failed. */
  readonly errors?: string;
}

export type LoadName = "trusted" | "challenged" | "register" | "latency" | "nodes" | "node-registers";

/** Samples of one contestant at one rate; sample n of each contestant belongs to round n. */
export interface Series {
  readonly load: LoadName;
  readonly contestant: string;
  readonly rate: number;
  readonly samples: readonly Sample[];
}

export interface Maximum {
  readonly load: "trusted" | "register";
  readonly contestant: string;
  /** The highest rate without a failure; 0: none. */
  readonly rate: number;
  /** sipp used a whole processor at this rate, or the machine had no idle time: a faster server would not show a higher rate. */
  readonly isLoadLimited: boolean;
  readonly steps: readonly { readonly rate: number; readonly problem: string | undefined }[];
}

export interface Memory {
  readonly contestant: string;
  readonly bindings: number;
  readonly bytes: number;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
}

/** The number of each system call for one call or REGISTER. */
export interface SystemCalls {
  readonly load: "trusted" | "challenged" | "register";
  readonly contestant: string;
  readonly failed: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface OperatorResult {
  readonly users: number;
  /** From the first write to the last Ready, and the API server's own time for the same writes. */
  readonly seconds: number;
  readonly apiServerSeconds: number;
  readonly requestsPerUser: number;
  readonly bytesPerUser: number;
}

export interface Machine {
  readonly processors: string;
  readonly memoryGiB: number;
  readonly kernel: string;
}

export interface Results {
  /** ISO 8601, to the minute. */
  readonly date: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly rounds: number;
  readonly series: readonly Series[];
  readonly maxima: readonly Maximum[];
  readonly memory: readonly Memory[];
  readonly systemCalls?: readonly SystemCalls[];
  readonly operator?: OperatorResult;
  /** Workloads that could not be measured, with the reason. */
  readonly problems?: readonly string[];
}
