/** Runs sipp against a contestant and measures the processor time of both, of MariaDB and of the machine. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { freeUdpPort } from "../../cli/src/up/free-port.ts";
import type { Endpoint } from "../support/phone.ts";
import { type RunningSipp, sipp, type SippPlan, type SippResult, startSipp } from "../support/sipp.ts";
import { cpuMicroseconds, endedChildrenMicroseconds, machineMicroseconds } from "./process-time.ts";
import type { Sample } from "./results.ts";
import { percentile } from "./statistics.ts";
import { errorSummary } from "./error-summary.ts";
import { challengedAddress, domain, trustedAddress } from "./users.ts";

export interface Load {
  readonly kind: "trusted" | "challenged" | "register";
  /** Calls or REGISTERs per second. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmUp: number;
}

/** The server under load. `callees`: the address and port at which `registerUsers` registered its users. */
export interface Target {
  readonly callers: Endpoint;
  /** The callers' own address; default: the trusted or the challenged one. */
  readonly callersAddress?: string;
  /** Where the REGISTERs of `registerUsers` go; default: as calls. */
  readonly registrar?: Endpoint;
  readonly callees: number;
  readonly pids: readonly number[];
  readonly database: number;
  /** The folder of the injection files. */
  readonly folder: string;
}

const lifetime = 3600;
const talkMs = 200; // of the scenarios
const login = { username: "u000000", domain, password: "" };

/** A free port for the callees of a contestant. */
export const calleePort = (): Promise<number> => freeUdpPort(challengedAddress);

/**
 * Registers the first `count` users, all with a contact at the callees' port, which is also the source of the REGISTERs. On a busy machine it is
 * done again, more slowly.
 */
export async function registerUsers(target: Target, count: number): Promise<void> {
  let last: SippResult | undefined;
  for (const rate of [250, 100, 50]) {
    const args = [...sharedArguments, "-l", String(count)];
    last = await sipp({ ...registerPlan(target, rate), args, port: target.callees, calls: count });
    if (last.successful === count) return;
  }
  throw new Error(
    `only ${last?.successful} of ${count} users registered: ${errorSummary(last?.errors ?? "")}`,
  );
}

/** Warms up, then measures. */
export async function measure(target: Target, load: Load): Promise<Sample> {
  const isCall = load.kind !== "register";
  // A REGISTER of the workload refreshes the binding of `registerUsers`: another port would be a second binding, to which calls fork.
  const plan = isCall ? callPlan(target, load) : { ...registerPlan(target, load.rate), port: target.callees };
  await using callees = isCall ? await startSipp(calleePlan(target)) : undefined;
  if (load.warmUp > 0) await sipp({ ...plan, calls: Math.ceil(load.rate * load.warmUp) });
  const read = (): Reading => readAll(target, callees);
  const before = read();
  const result = await sipp({ ...plan, calls: Math.ceil(load.rate * load.seconds) });
  return sampleOf(result, before, read(), isCall ? talkMs : 0);
}

interface Reading {
  readonly at: number;
  readonly server: number;
  readonly database: number;
  readonly sipp: number;
  readonly machine: number;
  readonly self: number;
}

const readAll = (target: Target, callees: RunningSipp | undefined): Reading => ({
  at: performance.now(),
  server: cpuMicroseconds(target.pids),
  database: cpuMicroseconds([target.database]),
  // The callers end before the second reading: then the kernel counts them as ended children.
  sipp: endedChildrenMicroseconds() + (callees === undefined ? 0 : cpuMicroseconds([callees.pid])),
  machine: machineMicroseconds(),
  self: process.cpuUsage().user + process.cpuUsage().system,
});

function sampleOf(result: SippResult, before: Reading, after: Reading, tailMs: number): Sample {
  const finished = result.successful + result.failed;
  const used = (part: keyof Reading): number => after[part] - before[part];
  const capacity = used("at") * 1000 * availableParallelism();
  const own = used("server") + used("database") + used("sipp") + used("self");
  const perUnit = (part: keyof Reading): number => used(part) / Math.max(1, finished);
  return {
    finished,
    failed: result.failed,
    retransmissions: result.retransmissions,
    achieved: (finished / Math.max(1, used("at") - tailMs)) * 1000,
    server: perUnit("server"),
    database: perUnit("database"),
    sipp: perUnit("sipp"),
    busy: used("machine") / capacity,
    foreign: Math.max(0, (used("machine") - own) / capacity),
    p50: percentile(result.responseTimes, 0.5),
    p99: percentile(result.responseTimes, 0.99),
    ...(result.failed > 0 ? { errors: errorSummary(result.errors) } : {}),
  };
}

const sharedArguments = ["-auth_uri", domain, "-timer_resol", "1", "-buff_size", "1048576"];
/** A message that takes longer is a failure. Preparations wait as long as SIP retransmits. */
const receiveTimeout = ["-recv_timeout", "5000"];

const registerPlan = (target: Target, rate: number): SippPlan => ({
  scenario: "users-register",
  exchange: target.registrar ?? target.callers,
  login,
  rate,
  lifetime,
  timeoutSeconds: 120,
  injection: join(target.folder, "register.csv"),
  responseTimes: true,
  args: [...sharedArguments, ...receiveTimeout, "-l", String(rate * 10)],
});

const callPlan = (target: Target, { kind, rate }: Load): SippPlan => ({
  scenario: kind === "trusted" ? "users-call-open" : "users-call",
  exchange: target.callers,
  login,
  address: target.callersAddress ?? (kind === "trusted" ? trustedAddress : challengedAddress),
  rate,
  timeoutSeconds: 60,
  injection: join(target.folder, "calls.csv"),
  responseTimes: true,
  args: [...sharedArguments, ...receiveTimeout, "-l", String(rate * 10)],
});

/** The callees answer until they are ended. */
const calleePlan = (target: Target): SippPlan => ({
  scenario: "answer",
  exchange: target.callers,
  login,
  port: target.callees,
  calls: 10_000_000,
  timeoutSeconds: 600,
  args: ["-buff_size", "1048576", "-timer_resol", "1"],
});
