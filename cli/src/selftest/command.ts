/** The sub-command `strowger selftest`, which `helm test` runs; with `--address` also for an exchange without Kubernetes. */
import { Command, InvalidArgumentError } from "commander";
import {
  apiServerPlan,
  type ApiServerFlags,
  withApiServerOptions,
} from "../api-server/api-server-options.ts";
import { ApiServer } from "../api-server/api-server.ts";
import type { PhoneLogin } from "../up/scripted-phone.ts";
import { parseLogin } from "./login.ts";
import { placeCall } from "./place-call.ts";
import { selftest } from "./selftest.ts";

interface Flags extends ApiServerFlags {
  readonly namespace: readonly string[];
  readonly timeout: number;
  readonly address?: { readonly host: string; readonly port: number };
  readonly user: readonly PhoneLogin[];
}

/** The command, ready to be added to the program; its exit status goes to process.exitCode. */
export const selftestCommand = (): Command =>
  withApiServerOptions(new Command("selftest"))
    .description("let two phones call each other through each SipCluster, with users made for it")
    .option("--namespace <name>", "look for SipClusters there; may be repeated (default: all)", append, [])
    .option("--timeout <seconds>", "for each exchange", seconds, 120)
    .option(
      "--address <host:port>",
      "call through this exchange, without Kubernetes; needs --user twice",
      hostPort,
    )
    .option("--user <name:password@domain>", "caller, then callee, of one domain", login, [])
    .action(async (flags: Flags) => {
      process.exitCode = (await run(flags)) ? 0 : 1;
    });

/** True: passed. What went wrong is told on standard error. */
async function run(flags: Flags): Promise<boolean> {
  const stopping = new AbortController();
  const abort = () => stopping.abort();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, abort);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const timeoutSeconds = flags.timeout;
  const common = { say, stop: stopping.signal };
  try {
    if (flags.address !== undefined)
      return await callThrough(flags.address, flags.user, timeoutSeconds, common);
    const server = apiServerPlan(flags, process.env);
    if (server === undefined)
      throw new Error(
        "this is no pod: --server says where the API server is, or --address where the exchange is",
      );
    return await selftest(new ApiServer(server), { namespaces: flags.namespace, timeoutSeconds, ...common });
  } catch (error) {
    process.stderr.write(`strowger selftest: ${(error as Error).message}\n`);
    return false;
  }
}

async function callThrough(
  exchange: { readonly host: string; readonly port: number },
  users: readonly PhoneLogin[],
  timeoutSeconds: number,
  { say, stop }: { readonly say: (line: string) => void; readonly stop: AbortSignal },
): Promise<true> {
  const [caller, callee, ...more] = users;
  if (caller === undefined || callee === undefined || more.length > 0)
    throw new Error("--address needs --user exactly twice: the caller, then the callee");
  if (caller.domain !== callee.domain) throw new Error("both users must be of one domain");
  const patience = AbortSignal.any([stop, AbortSignal.timeout(timeoutSeconds * 1000)]);
  await placeCall({ exchange, caller, callee, say, stop: patience });
  say("PASS");
  return true;
}

function append(name: string, names: readonly string[]): readonly string[] {
  return [...names, name];
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1) return value;
  throw new InvalidArgumentError("expected a whole number of seconds");
}

function hostPort(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^([^:[\]\s]+):(\d{1,5})$/.exec(text) ?? [];
  if (host !== "" && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new InvalidArgumentError("expected host:port, such as 192.0.2.1:5060");
}

function login(text: string, logins: readonly PhoneLogin[]): readonly PhoneLogin[] {
  const found = parseLogin(text);
  if (found === undefined) throw new InvalidArgumentError("expected name:password@domain");
  return [...logins, found];
}
