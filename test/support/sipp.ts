/** Runs sipp with a scenario of `test/sipp` and reads its statistics. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startChild, type TestChild } from "./child.ts";
import type { Endpoint, PhoneLogin } from "./phone.ts";

export interface SippPlan {
  /** The file's name without `.xml`. */
  readonly scenario: string;
  readonly exchange: Endpoint;
  readonly login: PhoneLogin;
  /** The user to call; default: the login's own name. */
  readonly callee?: string;
  readonly address?: string;
  /** Its network namespace; default: this one. */
  readonly namespace?: string;
  readonly port?: number;
  /** How many runs of the scenario. A callee's scenario ends after this number. Default 1. */
  readonly calls?: number;
  /** New calls a second. Default 10. */
  readonly rate?: number;
  /** `u1`: one socket; `un`: a socket for each call. Default u1. */
  readonly transport?: "u1" | "un";
  /** Milliseconds of the scenario's pause: talk, or ringing before CANCEL. */
  readonly pauseMs?: number;
  /**
   * For how long after its end a call answers repeated requests and absorbs repeated responses, as a phone does by Timers J and K (RFC 3261
   * §17.2.2, §17.1.2.2). Without it, sipp counts them as errors.
   */
  readonly timewaitMs?: number;
  /** Seconds of a registration. Default 300. */
  readonly lifetime?: number;
  readonly timeoutSeconds?: number;
  /** A file for all sent and received messages. */
  readonly messages?: string;
  /** An injection file: each run of the scenario takes its next line. */
  readonly injection?: string;
  /** Measures the response times that the scenario starts and ends. */
  readonly responseTimes?: boolean;
  /** Further arguments. */
  readonly args?: readonly string[];
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** Milliseconds, in any order; empty without `responseTimes`. */
  readonly responseTimes: readonly number[];
  /** sipp's error log; empty: no error. */
  readonly errors: string;
}

export interface RunningSipp extends AsyncDisposable {
  readonly pid: number;
  readonly result: Promise<SippResult>;
  /** Starts no more calls. The result resolves when the current calls are over. */
  finish(): void;
  /** sipp's error log until now. */
  errors(): Promise<string>;
}

/** Runs a scenario to its end. */
export async function sipp(plan: SippPlan): Promise<SippResult> {
  await using running = await startSipp(plan);
  return await running.result;
}

/** Starts a scenario that waits for calls. Its `result` resolves when it has served all of them. */
export async function startSipp(plan: SippPlan): Promise<RunningSipp> {
  const folder = await mkdtemp(join(tmpdir(), "strowger-sipp-"));
  const place = plan.namespace === undefined ? {} : { namespace: plan.namespace };
  const child = startChild("sipp", arguments_(plan, await scenarioFile(plan, folder), folder), {
    cwd: folder,
    env: { TERM: "dumb" },
    ...place,
  });
  const result = child.exited.then(() => readResult(folder, child));
  result.catch(() => undefined);
  const dispose = async () => {
    await child.end();
    await result.catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  const finish = (): unknown => child.process.kill("SIGUSR1");
  const errors = () => errorsIn(folder);
  return { pid: child.pid, result, finish, errors, [Symbol.asyncDispose]: dispose };
}

async function scenarioFile({ scenario, timewaitMs }: SippPlan, folder: string): Promise<string> {
  const file = resolve(import.meta.dirname, "../sipp", `${scenario}.xml`);
  if (timewaitMs === undefined) return file;
  const wait = `<timewait milliseconds="${timewaitMs}"/>\n</scenario>`;
  const copy = join(folder, "scenario.xml");
  await writeFile(copy, (await readFile(file, "utf8")).replace("</scenario>", wait));
  return copy;
}

function arguments_(plan: SippPlan, scenario: string, folder: string): string[] {
  const { exchange, login } = plan;
  // By default sipp writes the exchange's address as the digest URI, which must be the Request-URI. It adds `sip:` itself.
  const digestUri = /register/.test(plan.scenario)
    ? login.domain
    : `${plan.callee ?? login.username}@${login.domain}`;
  return [
    `${exchange.address}:${exchange.port}`,
    ...["-sf", scenario],
    ...["-i", plan.address ?? "127.0.0.1", "-mi", plan.address ?? "127.0.0.1"],
    ...(plan.port === undefined ? [] : ["-p", String(plan.port)]),
    ...["-t", plan.transport ?? "u1", "-max_socket", "8000"],
    ...["-m", String(plan.calls ?? 1), "-r", String(plan.rate ?? 10), "-d", String(plan.pauseMs ?? 100)],
    ...[
      "-s",
      plan.callee ?? login.username,
      "-au",
      login.username,
      "-ap",
      login.password,
      "-auth_uri",
      digestUri,
    ],
    ...[
      "-key",
      "caller",
      login.username,
      "-key",
      "domain",
      login.domain,
      "-key",
      "lifetime",
      String(plan.lifetime ?? 300),
    ],
    ...["-timeout", `${plan.timeoutSeconds ?? 60}s`, "-timeout_error", "-nostdin"],
    ...["-trace_stat", "-stf", join(folder, "stat.csv"), "-fd", "1"],
    ...(plan.messages === undefined ? [] : ["-trace_msg", "-message_file", plan.messages]),
    ...["-trace_err", "-error_file", join(folder, "errors.log")],
    ...(plan.injection === undefined ? [] : ["-inf", plan.injection]),
    ...(plan.responseTimes === true ? ["-trace_rtt", "-rtt_freq", "1"] : []),
    ...(plan.args ?? []),
  ];
}

const errorsIn = (folder: string): Promise<string> =>
  readFile(join(folder, "errors.log"), "utf8").catch(() => "");

/** The last line of the statistics has the totals (columns that end in `(C)`). The first line has the names of the columns. */
async function readResult(folder: string, child: TestChild): Promise<SippResult> {
  const text = await readFile(join(folder, "stat.csv"), "utf8").catch(() => "");
  const [names = [], ...rows] = text
    .trim()
    .split("\n")
    .map((line) => line.split(";"));
  const last = rows.at(-1);
  if (last === undefined) throw new Error(`sipp wrote no statistics:\n${child.output().slice(-2000)}`);
  const column = (name: string) => Number(last[names.indexOf(name)] ?? 0);
  const errors = await errorsIn(folder);
  return {
    successful: column("SuccessfulCall(C)"),
    failed: column("FailedCall(C)"),
    retransmissions: column("Retransmissions(C)"),
    responseTimes: await responseTimesIn(folder),
    errors,
  };
}

/** A line of sipp's file has the time, the response time in milliseconds and the name of the timer. The first line has names. */
async function responseTimesIn(folder: string): Promise<number[]> {
  const file = (await readdir(folder)).find((name) => name.endsWith("_rtt.csv"));
  if (file === undefined) return [];
  const [, ...lines] = (await readFile(join(folder, file), "utf8")).trim().split("\n");
  return lines.map((line) => Number(line.split(";")[1]));
}
