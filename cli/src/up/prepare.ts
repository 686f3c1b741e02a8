/** Everything that can be found wrong before the first process starts: YAML, lock, port, tools. Makes the folder of data, with keys. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { installTools } from "../setup/install-tools.ts";
import { lockCheckout } from "./checkout-lock.ts";
import { dataFolder } from "./data-folder.ts";
import { mariadbFolder } from "./database.ts";
import { Fault } from "./fault.ts";
import { udpBindFailure, udpPortHolder } from "./free-port.ts";
import type { House } from "./house.ts";
import { loadExchange, operatorFolder } from "./load-exchange.ts";
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
  if (options.fresh && options.databaseUrl !== undefined)
    throw new Fault(
      "--fresh empties the private MariaDB; a database of yours (DATABASE_URL) is yours to empty",
    );
  await lockCheckout(root, cellar);
  await mustBeFree(options.address, options.port);
  await mustHaveTools(options);
  const folder = dataFolder(root, options.examples);
  for (const each of [join(folder, "logs"), operatorFolder(folder)])
    await mkdir(each, { recursive: true, mode: 0o700 });
  if (options.fresh) await rm(mariadbFolder(folder), { recursive: true, force: true });
  const keysFile = join(folder, "keys.json");
  if (!existsSync(keysFile)) await writeFile(keysFile, newKeys(), { mode: 0o600 });
  const nodes = options.nodes ?? Math.min(Math.max(1, exchange.replicas), mostNodes);
  return { options, root, folder, keysFile, exchange, nodes, stop, say };
}

/** Of a SipCluster that was written for many machines. */
const mostNodes = 64;

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

function newKeys(): string {
  const key = { id: 1, key: randomBytes(32).toString("base64"), verifyFrom: 0, signFrom: 0, dropAfter: null };
  return JSON.stringify({ keys: [key] }, undefined, 2);
}
