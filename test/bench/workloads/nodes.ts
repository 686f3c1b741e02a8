/** Exchanges of several nodes: calls between phones of one node and of different nodes, and REGISTERs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { total } from "../../../cli/src/up/metrics.ts";
import { TestCluster } from "../../support/test-cluster.ts";
import {
  acrossFour,
  acrossTwo,
  eightNodes,
  fourNodes,
  oneNode,
  twoNodes,
  withinOneOfTwo,
} from "../contestants/names.ts";
import { calleePort, type Load, measure, registerUsers, type Target } from "../load.ts";
import type { BenchOptions } from "../options.ts";
import type { Sample, Series } from "../results.ts";
import { databasePid, insertStrowgerUsers, mariadbArguments, profileFolder } from "../stage.ts";
import { trustedAddress, writeInjectionFiles } from "../users.ts";
import { sampleText } from "./loads.ts";

const users = 1000;
const callersAddresses: Readonly<Record<string, string>> = {
  "node-a": "127.0.0.3",
  "node-b": trustedAddress,
};

/** The callees register through node-b. Nodes that are not needed any more end, until node-b is alone. */
export async function measureNodes(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<Series[]> {
  await using cluster = await TestCluster.start({
    front: "balancer",
    nodes: 8,
    peers: Object.values(callersAddresses),
    mariadb: { args: mariadbArguments },
    nodeArguments: options.profile ? ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`] : [],
  });
  await insertStrowgerUsers(cluster.database, users);
  const folder = await mkdtemp(join(tmpdir(), "strowger-bench-"));
  await writeInjectionFiles(folder, users);
  const shared = { callees: await calleePort(), database: await databasePid(cluster.database), folder };
  // Each way has callers of its own address: a flow that changes its node within seconds costs more, and is another case.
  const target = (callersAt: string): Target => ({
    ...shared,
    callersAddress: callersAddresses[callersAt] ?? trustedAddress,
    callers: cluster.node(callersAt).sip,
    registrar: cluster.node("node-b").sip,
    pids: cluster.nodes
      .filter(({ child }) => child.process.exitCode === null && child.process.signalCode === null)
      .map(({ child }) => child.pid),
  });
  if (options.profile)
    progress(`processes: ${cluster.nodes.map(({ name, child }) => `${name} ${child.pid}`).join(", ")}`);
  const series: Series[] = [];
  const compare = async (
    kind: Load["kind"],
    contestants: Readonly<Record<string, Target>>,
  ): Promise<void> => {
    series.push(...(await alternate(kind, contestants, options, progress)));
  };
  try {
    await registerUsers(target("node-a"), users);
    progress("nodes: load for the compilers of node-a and node-b");
    for (const [kind, node] of [
      ["register", "node-b"],
      ["trusted", "node-b"],
      ["trusted", "node-a"],
    ] as const)
      await measure(target(node), { kind, rate: 300, seconds: options.firstLoad / 4, warmUp: 0 });
    await compare("register", { [eightNodes]: target("node-b") });
    await leaveOnly(cluster, ["node-a", "node-b", "node-c", "node-d"]);
    await compare("register", { [fourNodes]: target("node-b") });
    await compare("trusted", { [acrossFour]: target("node-a") });
    await leaveOnly(cluster, ["node-a", "node-b"]);
    await compare("register", { [twoNodes]: target("node-b") });
    await compare("trusted", { [withinOneOfTwo]: target("node-b"), [acrossTwo]: target("node-a") });
    await leaveOnly(cluster, ["node-b"]);
    await compare("register", { [oneNode]: target("node-b") });
    await compare("trusted", { [oneNode]: target("node-b") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return series;
}

async function alternate(
  kind: Load["kind"],
  contestants: Readonly<Record<string, Target>>,
  { rate = 300, seconds, warmUp, rounds }: BenchOptions,
  progress: (text: string) => void,
): Promise<Series[]> {
  const load = kind === "register" ? "node-registers" : "nodes";
  const all = Object.entries(contestants).map(([contestant, target]) => ({
    contestant,
    target,
    samples: [] as Sample[],
  }));
  for (let round = 1; round <= rounds; round++)
    for (const { contestant, target, samples } of all) {
      const sample = await measure(target, { kind, rate, seconds, warmUp });
      samples.push(sample);
      progress(`${load} ${rate}/s, round ${round}, ${contestant}: ${sampleText(sample)}`);
    }
  return all.map(({ contestant, samples }) => ({ load, contestant, rate, samples }));
}

/** Ends the other nodes without a drain, and waits until these know it. */
async function leaveOnly(cluster: TestCluster, names: readonly string[]): Promise<void> {
  for (const { name, child } of cluster.nodes) if (!names.includes(name)) await child.end("SIGINT");
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const peers = await Promise.all(
      names.map(async (name) => total(await cluster.metrics(cluster.node(name)), "strowger_peers", {})),
    );
    if (peers.every((count) => count === names.length - 1)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
