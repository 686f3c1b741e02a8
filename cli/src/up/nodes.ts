/** Starts the SIP nodes: one process each, all on one UDP address. The kernel distributes the phones to them (SO_REUSEPORT). */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Child } from "./child.ts";
import type { DatabaseAccess } from "./database.ts";
import { freeTcpPort } from "./free-port.ts";
import { StartupError } from "./startup-error.ts";
import type { UpDependencies } from "./up-dependencies.ts";
import { waitFor } from "./wait.ts";

export interface SipNode {
  readonly name: string;
  readonly child: Child;
  readonly httpUrl: string;
}

const firstHttpPort = 9101;
const readyTimeoutMs = 30_000;

/** Starts all nodes and returns them, in the order of their names, when all are ready. Disposing `resources` stops them. Throws StartupError. */
export async function startNodes(
  deps: UpDependencies,
  database: DatabaseAccess,
  resources: AsyncDisposableStack,
): Promise<SipNode[]> {
  const nodes: SipNode[] = [];
  let httpPort = firstHttpPort;
  for (let number = 0; number < deps.nodeCount; number++) {
    // Search above the last port: that node may not have opened it yet.
    httpPort = await freeTcpPort("127.0.0.1", httpPort);
    nodes.push(await startNode(deps, database, `node-${toLetters(number)}`, httpPort++, resources));
  }
  await Promise.all(nodes.map((node) => waitUntilReady(node, deps.stop)));
  for (const node of nodes) node.child.keepAlive();
  return nodes;
}

async function startNode(
  deps: UpDependencies,
  database: DatabaseAccess,
  name: string,
  httpPort: number,
  resources: AsyncDisposableStack,
): Promise<SipNode> {
  const configFile = join(deps.dataFolder, `${name}.json`);
  await writeFile(
    configFile,
    JSON.stringify(buildConfiguration(deps, database, name, httpPort), undefined, 2),
    {
      mode: 0o600,
    },
  );
  const childOptions = {
    name,
    command: process.execPath,
    args: [join(deps.root, "sip-node/src/main.ts")],
    env: { STROWGER_CONFIG: configFile, STROWGER_KEYS: deps.keysFile },
    logFile: join(deps.dataFolder, "logs", `${name}.log`),
    stopTimeoutMs: 15_000,
  };
  return {
    name,
    child: resources.use(new Child(childOptions, deps.print)),
    httpUrl: `http://127.0.0.1:${httpPort}`,
  };
}

function buildConfiguration(deps: UpDependencies, database: DatabaseAccess, name: string, httpPort: number) {
  const { address, port } = deps.options;
  const { host, user, password, database: schema } = database.node;
  return {
    name,
    sip: {
      listen: `${address}:${port}`,
      reusePort: true,
      tcp: true,
      advertise: `${address}:${port}`,
      direct: `${address}:0`,
    },
    cluster: { listen: "127.0.0.1:0", advertise: "127.0.0.1:0" },
    http: { listen: `127.0.0.1:${httpPort}` },
    control: { listen: "127.0.0.1:0" },
    drain: { timeoutSeconds: 2 }, // short: all nodes stop together, and the user waits for the prompt
    mysql: { hosts: [host], user, password, database: schema, connections: 8 },
    peers: deps.exchange.peers,
    log: { level: "info" },
  };
}

async function waitUntilReady(node: SipNode, stop: AbortSignal): Promise<void> {
  const result = await waitFor(
    async () => {
      if (!node.child.isRunning) return false;
      return (await isReady(node.httpUrl)) ? true : undefined;
    },
    readyTimeoutMs,
    stop,
  );
  if (result === true) return;
  const what = result === false ? "ended" : `is not ready after ${readyTimeoutMs / 1000} s`;
  throw new StartupError(
    `${node.name} ${what}. The last lines of its log (${node.child.options.logFile}):\n${await node.child.lastLogLines()}`,
  );
}

/** True if /readyz of this program answers 2xx. */
export async function isReady(httpUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${httpUrl}/readyz`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

/** 0 is a, 25 is z, 26 is aa, 27 is ab. */
function toLetters(number: number): string {
  const last = String.fromCharCode(97 + (number % 26));
  return number < 26 ? last : toLetters(Math.floor(number / 26) - 1) + last;
}
