/** The SIP nodes of the local cluster: one process each, all on one UDP address; the kernel shares the phones out between them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Child } from "./child.ts";
import type { Database } from "./database.ts";
import { Fault } from "./fault.ts";
import { freeTcpPort } from "./free-port.ts";
import type { House } from "./house.ts";
import { waitFor } from "./wait.ts";

export interface SipNode {
  readonly name: string;
  readonly child: Child;
  readonly httpUrl: string;
}

const firstHttpPort = 9101;
const readyPatienceMs = 30_000;

/** Starts all nodes and returns when each is ready, in the order of their names. What was started is stopped with `cellar`. Throws Fault. */
export async function startNodes(
  house: House,
  database: Database,
  cellar: AsyncDisposableStack,
): Promise<SipNode[]> {
  const nodes: SipNode[] = [];
  let httpPort = firstHttpPort;
  for (let number = 0; number < house.nodes; number++) {
    // Search on from the last one: the node before has not opened its port yet.
    httpPort = await freeTcpPort("127.0.0.1", httpPort);
    nodes.push(await startNode(house, database, `node-${letters(number)}`, httpPort++, cellar));
  }
  await Promise.all(nodes.map((node) => ready(node, house.stop)));
  for (const node of nodes) node.child.keepAlive();
  return nodes;
}

async function startNode(
  house: House,
  database: Database,
  name: string,
  httpPort: number,
  cellar: AsyncDisposableStack,
): Promise<SipNode> {
  const configFile = join(house.folder, `${name}.json`);
  await writeFile(configFile, JSON.stringify(configuration(house, database, name, httpPort), undefined, 2), {
    mode: 0o600,
  });
  const plan = {
    name,
    command: process.execPath,
    args: [join(house.root, "sip-node/src/main.ts")],
    env: { STROWGER_CONFIG: configFile, STROWGER_KEYS: house.keysFile },
    logFile: join(house.folder, "logs", `${name}.log`),
    patienceMs: 15_000,
  };
  return { name, child: cellar.use(new Child(plan, house.say)), httpUrl: `http://127.0.0.1:${httpPort}` };
}

function configuration(house: House, database: Database, name: string, httpPort: number) {
  const { address, port } = house.options;
  const { host, user, password, database: schema } = database.node;
  return {
    name,
    sip: {
      listen: `${address}:${port}`,
      reusePort: true,
      advertise: `${address}:${port}`,
      direct: `${address}:0`,
    },
    cluster: { listen: "127.0.0.1:0", advertise: "127.0.0.1:0" },
    http: { listen: `127.0.0.1:${httpPort}` },
    control: { listen: "127.0.0.1:0" },
    drain: { timeoutSeconds: 2 }, // all nodes end together here, and somebody waits for the prompt
    mysql: { hosts: [host], user, password, database: schema, connections: 8 },
    peers: house.exchange.peers,
    log: { level: "info" },
  };
}

async function ready(node: SipNode, stop: AbortSignal): Promise<void> {
  const answer = await waitFor(
    async () => {
      if (!node.child.isRunning) return false;
      return (await isReady(node.httpUrl)) ? true : undefined;
    },
    readyPatienceMs,
    stop,
  );
  if (answer === true) return;
  const what = answer === false ? "ended" : `is not ready after ${readyPatienceMs / 1000} s`;
  throw new Fault(
    `${node.name} ${what}; its last lines (${node.child.plan.logFile}):\n${await node.child.lastWords()}`,
  );
}

/** True when the program behind this address says at /readyz that it can work. */
export async function isReady(httpUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${httpUrl}/readyz`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

/** a ... z, then aa, ab: names in the order of their numbers. */
function letters(number: number): string {
  const last = String.fromCharCode(97 + (number % 26));
  return number < 26 ? last : letters(Math.floor(number / 26) - 1) + last;
}
