/** Checks YAML, lock, port and tools before the first process starts. Then creates the data folder with the keys. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { installTools } from "../setup/install-tools.ts";
import { lockCheckout } from "./checkout-lock.ts";
import { dataFolder } from "./data-folder.ts";
import { mariadbFolder } from "./database.ts";
import { tcpBindFailure, udpBindFailure, udpPortHolder } from "./free-port.ts";
import { loadExchange, operatorFolder } from "./load-exchange.ts";
import type { UpOptions } from "./options.ts";
import { StartupError } from "./startup-error.ts";
import type { UpDependencies } from "./up-dependencies.ts";

/** The lock is released when `resources` is disposed. Throws StartupError. */
export async function prepare(
  options: UpOptions,
  root: string,
  stop: AbortSignal,
  print: (line: string) => void,
  resources: AsyncDisposableStack,
): Promise<UpDependencies> {
  const exchange = await loadExchange(options.examples);
  if (options.fresh && options.databaseUrl !== undefined)
    throw new StartupError(
      "--fresh is only for the private MariaDB. Empty an external database (DATABASE_URL) yourself",
    );
  await lockCheckout(root, resources);
  await checkAddress(options.address, options.port);
  await installDatabaseTools(options);
  const folder = dataFolder(root, options.examples);
  for (const path of [join(folder, "logs"), operatorFolder(folder)])
    await mkdir(path, { recursive: true, mode: 0o700 });
  if (options.fresh) await rm(mariadbFolder(folder), { recursive: true, force: true });
  const keysFile = join(folder, "keys.json");
  if (!existsSync(keysFile)) await writeFile(keysFile, newKeys(), { mode: 0o600 });
  const nodeCount = options.nodes ?? Math.min(Math.max(1, exchange.replicas), maxNodes);
  return { options, root, dataFolder: folder, keysFile, exchange, nodeCount, stop, print };
}

/** Limits the processes on this machine for a SipCluster that was written for many machines. */
const maxNodes = 64;

async function checkAddress(address: string, port: number): Promise<void> {
  if (!isIPv4(address) || address === "0.0.0.0") {
    throw new StartupError(
      `--address ${address}: expected an IPv4 address of this machine that phones can reach, such as 127.0.0.1`,
    );
  }
  const failure = await udpBindFailure(address, port);
  if (failure === undefined) return await checkTcp(address, port);
  if (failure === "EADDRNOTAVAIL")
    throw new StartupError(`--address ${address} is not an address of this machine`);
  if (failure === "EACCES")
    throw new StartupError(`UDP port ${port} cannot be opened: permission denied. Try --port 5060`);
  if (failure !== "EADDRINUSE") throw new StartupError(`UDP ${address}:${port} cannot be opened: ${failure}`);
  const holder = (await udpPortHolder(port)) ?? "another program";
  throw new StartupError(
    `UDP port ${port} on ${address} is in use by ${holder}. End that program, or choose another port: npm start -- --port ${port + 10}`,
  );
}

async function checkTcp(address: string, port: number): Promise<void> {
  const failure = await tcpBindFailure(address, port);
  if (failure === undefined) return;
  throw new StartupError(
    `TCP port ${port} on ${address} cannot be opened (${failure}). End the program that uses it (ss -ltnp), or choose another port: npm start -- --port ${port + 10}`,
  );
}

async function installDatabaseTools(options: UpOptions): Promise<void> {
  const problem = options.databaseUrl === undefined ? await installTools(["mariadb"]) : undefined;
  if (problem !== undefined)
    throw new StartupError(
      `${problem}\nOr set DATABASE_URL to an external MySQL (mysql://user:password@host:port/database).`,
    );
}

function newKeys(): string {
  const key = { id: 1, key: randomBytes(32).toString("base64"), verifyFrom: 0, signFrom: 0, dropAfter: null };
  return JSON.stringify({ keys: [key] }, undefined, 2);
}
