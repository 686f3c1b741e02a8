/** The sub-command `strowger selftest`. `helm test` runs it; with `--address` it tests an exchange without Kubernetes. */
import { Command, InvalidArgumentError } from "commander";
import {
  apiServerOptions,
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
    .description("test each SipCluster with a call between two temporary users")
    .option(
      "--namespace <name>",
      "test the SipClusters of this namespace; may be repeated (default: all)",
      append,
      [],
    )
    .option("--timeout <seconds>", "time limit for each SipCluster", parseSeconds, 120)
    .option(
      "--address <host:port>",
      "test this exchange, without Kubernetes; needs --user twice",
      parseHostPort,
    )
    .option(
      "--user <name:password@domain>",
      "the caller, then the callee; both of one domain",
      appendLogin,
      [],
    )
    .action(async (flags: Flags) => {
      process.exitCode = (await run(flags)) ? 0 : 1;
    });

/** True if the test passed. Errors go to standard error. */
async function run(flags: Flags): Promise<boolean> {
  const stopping = new AbortController();
  const abort = () => stopping.abort();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, abort);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const timeoutSeconds = flags.timeout;
  const common = { print, stop: stopping.signal };
  try {
    if (flags.address !== undefined)
      return await callThrough(flags.address, flags.user, timeoutSeconds, common);
    const server = apiServerOptions(flags, process.env);
    if (server === undefined)
      throw new Error(
        "not running in a pod: set --server to the URL of the API server, or --address to the address of an exchange",
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
  { print, stop }: { readonly print: (line: string) => void; readonly stop: AbortSignal },
): Promise<true> {
  const [caller, callee, ...more] = users;
  if (caller === undefined || callee === undefined || more.length > 0)
    throw new Error("--address needs --user exactly twice: the caller, then the callee");
  if (caller.domain !== callee.domain) throw new Error("both users must be of one domain");
  const stopOrTimeout = AbortSignal.any([stop, AbortSignal.timeout(timeoutSeconds * 1000)]);
  await placeCall({ exchange, caller, callee, print, stop: stopOrTimeout });
  print("PASS");
  return true;
}

function append(name: string, names: readonly string[]): readonly string[] {
  return [...names, name];
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1) return value;
  throw new InvalidArgumentError("expected a whole number of seconds");
}

function parseHostPort(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^([^:[\]\s]+):(\d{1,5})$/.exec(text) ?? [];
  if (host !== "" && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new InvalidArgumentError("expected host:port, such as 192.0.2.1:5060");
}

function appendLogin(text: string, logins: readonly PhoneLogin[]): readonly PhoneLogin[] {
  const found = parseLogin(text);
  if (found === undefined) throw new InvalidArgumentError("expected name:password@domain");
  return [...logins, found];
}
