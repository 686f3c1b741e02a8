/** Everything that can be found wrong before the first process starts: tools, port, folder, YAML. Makes `.strowger` with keys and lock. */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { installTools } from "../setup/install-tools.ts";
import { Fault } from "./fault.ts";
import { udpBindFailure, udpPortHolder } from "./free-port.ts";
import type { House } from "./house.ts";
import { loadExchange } from "./load-exchange.ts";
import type { UpOptions } from "./options.ts";

/** Returns what all later steps share; the lock is given back with `cellar`. Throws Fault. */
export async function prepare(
  options: UpOptions,
  root: string,
  stop: AbortSignal,
  say: (line: string) => void,
  cellar: AsyncDisposableStack,
): Promise<House> {
  const exchange = await loadExchange(options.examples);
  await mustBeFree(options.address, options.port);
  await mustHaveTools(options);
  const folder = join(root, ".strowger");
  await mkdir(join(folder, "logs"), { recursive: true, mode: 0o700 });
  await mkdir(join(folder, "operator"), { recursive: true, mode: 0o700 });
  takeLock(join(folder, "lock"), cellar);
  const keysFile = join(folder, "keys.json");
  if (!existsSync(keysFile)) await writeFile(keysFile, newKeys(), { mode: 0o600 });
  const nodes = Math.max(1, options.nodes ?? exchange.replicas);
  return { options, root, folder, keysFile, exchange, nodes, stop, say };
}

async function mustBeFree(address: string, port: number): Promise<void> {
  if (!isIPv4(address) || address === "0.0.0.0") {
    throw new Fault(
      `--address ${address}: expected an IPv4 address of this machine that phones can reach, such as 127.0.0.1`,
    );
  }
  const failure = await udpBindFailure(address, port);
  if (failure === undefined) return;
  if (failure === "EADDRNOTAVAIL") throw new Fault(`--address ${address} is not an address of this machine`);
  if (failure === "EACCES")
    throw new Fault(`UDP port ${port} needs more rights than you have; try --port 5060`);
  if (failure !== "EADDRINUSE") throw new Fault(`UDP ${address}:${port} cannot be opened: ${failure}`);
  const holder = (await udpPortHolder(port)) ?? "another program";
  throw new Fault(
    `UDP port ${port} on ${address} is in use by ${holder}. End it, or choose another: npm start -- --port ${port + 10}`,
  );
}

async function mustHaveTools(options: UpOptions): Promise<void> {
  const problem = options.databaseUrl === undefined ? await installTools(["mariadb"]) : undefined;
  if (problem !== undefined)
    throw new Fault(
      `${problem}\nOr point DATABASE_URL at a MySQL of yours (mysql://user:password@host:port/database).`,
    );
}

/** One cluster a checkout: two would share a data folder. A lock whose process is gone is taken over. */
function takeLock(file: string, cellar: AsyncDisposableStack): void {
  const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (holder > 0 && isRunning(holder)) {
    throw new Fault(
      `Strowger already runs from this checkout (pid ${holder}). Stop it first: kill ${holder}`,
    );
  }
  rmSync(file, { force: true });
  const handle = openSync(file, "wx", 0o600);
  writeFileSync(handle, String(process.pid));
  closeSync(handle);
  cellar.defer(() => rmSync(file, { force: true }));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const command = existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8")
      : "main.ts";
    return command.includes("main.ts");
  } catch {
    return false;
  }
}

function newKeys(): string {
  const key = { id: 1, key: randomBytes(32).toString("base64"), verifyFrom: 0, signFrom: 0, dropAfter: null };
  return JSON.stringify({ keys: [key] }, undefined, 2);
}
