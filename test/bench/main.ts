/**
 * `npm run bench`: measures the processor time per call of Strowger and of Debian's Kamailio in one run, with the same load from sipp: a new
 * caller's socket for each call, and one callee. Compare the ratio: the absolute times depend on the machine and its other load.
 *
 *   npm run bench -- [--rate 200] [--seconds 20] [--only challenged,kamailio] [--profile]
 */
import { parseArgs } from "node:util";
import { TestCluster } from "../support/test-cluster.ts";
import { freeUdpPort } from "../../cli/src/up/free-port.ts";
import type { Endpoint } from "../support/phone.ts";
import { sipp, startSipp, type SippResult } from "../support/sipp.ts";
import { startKamailio } from "./kamailio.ts";
import { cpuMicroseconds, peakMemory } from "./process-time.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "20" },
    only: { type: "string", default: "challenged,trusted,kamailio" },
    profile: { type: "boolean", default: false },
  },
});
const rate = Number(values.rate);
const calls = rate * Number(values.seconds);
const warmUp = rate * 3;
const domain = "bench.example";
const callee = { username: "bob", domain, password: "bob-secret" };
const caller = { username: "alice", domain, password: "alice-secret" };

interface Outcome {
  readonly name: string;
  readonly result: SippResult;
  readonly perCall: number;
  readonly databasePerCall: number | undefined;
  readonly shares: string;
}

const outcomes: Outcome[] = [];
for (const name of values.only.split(",")) {
  if (name === "challenged" || name === "trusted") outcomes.push(await measureStrowger(name));
  else if (name === "kamailio") outcomes.push(await measureKamailio());
  else throw new Error(`--only: expected challenged, trusted or kamailio, got "${name}"`);
}
const reference = outcomes.find(({ name }) => name.startsWith("Kamailio"));
for (const { name, result, perCall, databasePerCall, shares } of outcomes) {
  const ratio = reference === undefined ? "" : ` (${(perCall / reference.perCall).toFixed(2)} × Kamailio)`;
  const database = databasePerCall === undefined ? "" : `, MariaDB ${databasePerCall.toFixed(0)} µs`;
  console.log(
    `${name.padEnd(28)} ${perCall.toFixed(0).padStart(5)} µs CPU per call${ratio}${database}; ` +
      `${result.successful} calls, ${result.failed} failed, ${result.retransmissions} retransmissions${shares}`,
  );
  if (result.failed > 0) console.log(result.errors.slice(0, 3_000));
}

async function measureStrowger(how: "challenged" | "trusted"): Promise<Outcome> {
  await using cluster = await TestCluster.start({
    front: "shared port",
    nodes: 2,
    ...(how === "trusted" ? { peers: ["127.0.0.1"] } : {}),
    ...(values.profile ? { nodeArguments: ["--cpu-prof", "--cpu-prof-dir=.strowger/profiles"] } : {}),
  });
  await cluster.insertUsers(domain, ["alice", "bob"]);
  await cluster.database.query(
    "UPDATE subscriber SET ha1 = MD5(CONCAT(username, ':', domain, ':', password)), password = ''",
  );
  const scenarios = { register: "register", call: how === "trusted" ? "call-open" : "call" } as const;
  const pids = cluster.nodes.map((node) => node.child.pid);
  const mariadb = await databasePid(cluster);
  const read = () => pids.reduce((sum, pid) => sum + cpuMicroseconds(pid), 0);
  let database = 0;
  const { result, used } = await runLoad(cluster.front, scenarios, read, () => {
    database = cpuMicroseconds(mariadb) - database;
  });
  const requests = await cluster.requests("INVITE");
  const memory = pids.map((pid) => peakMemory(pid).toFixed(0)).join(" and ");
  const shares = `; at most ${memory} MiB each; INVITEs ${Object.entries(requests)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")}`;
  return {
    name: `Strowger, 2 nodes, ${how}`,
    result,
    perCall: used / calls,
    databasePerCall: database / calls,
    shares,
  };
}

async function measureKamailio(): Promise<Outcome> {
  const at = { address: "127.0.0.1", port: await freeUdpPort("127.0.0.1") };
  await using proxy = await startKamailio(at);
  const { result, used } = await runLoad(
    at,
    { register: "register-open", call: "call-open" },
    () => cpuMicroseconds(proxy.pid, true),
    () => {},
  );
  return {
    name: "Kamailio, as packaged",
    result,
    perCall: used / calls,
    databasePerCall: undefined,
    shares: "",
  };
}

/** Runs the load. `mark` is called directly before and after the measured part. */
async function runLoad(
  exchange: Endpoint,
  scenarios: { readonly register: string; readonly call: string },
  read: () => number,
  mark: () => void,
) {
  const port = await freeUdpPort("127.0.0.1");
  const registered = await sipp({
    scenario: scenarios.register,
    exchange,
    login: callee,
    port,
    lifetime: 3600,
  });
  if (registered.successful !== 1) throw new Error(`the callee could not register: ${registered.errors}`);
  await using answering = await startSipp({
    scenario: "answer",
    exchange,
    login: callee,
    port,
    calls: calls + warmUp,
    rate,
    timeoutSeconds: 300,
  });
  const call = {
    scenario: scenarios.call,
    exchange,
    login: caller,
    callee: "bob",
    transport: "un",
    rate,
    pauseMs: 500,
    timeoutSeconds: 300,
  } as const;
  await sipp({ ...call, calls: warmUp });
  const before = read();
  mark();
  const result = await sipp({ ...call, calls });
  mark();
  const used = read() - before;
  await answering[Symbol.asyncDispose]();
  return { result, used };
}

async function databasePid(cluster: TestCluster): Promise<number> {
  const rows = (await cluster.database.query("SELECT @@pid_file AS file")) as unknown as { file: string }[];
  const { readFile } = await import("node:fs/promises");
  return Number(await readFile(rows[0]?.file ?? "", "utf8"));
}
