/**
 * The load balancer of a test's cluster, as a program on the phones' host. It gives each Service of type LoadBalancer an address and routes
 * it to the nodes whose health check answers 200. The kernel chooses the node of a flow by a hash of addresses and ports. A route has no
 * connection state, so a node that fails its check loses its flows with the next datagram.
 *
 *   node load-balancer-program.ts '{"kubectl": ..., "kubeconfig": ..., "nodes": [...], "addresses": [...]}'
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { runCommand } from "./run-command.ts";

export interface BalancerSettings {
  readonly kubectl: string;
  readonly kubeconfig: string;
  readonly nodes: readonly string[];
  /** The addresses for Services; the first free one is used. */
  readonly addresses: readonly string[];
}

interface Service {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly spec: {
    readonly type?: string;
    readonly loadBalancerIP?: string;
    readonly healthCheckNodePort?: number;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

interface Balanced {
  readonly address: string;
  /** The port at which a node answers whether it has a pod of the Service, or kube-proxy's health port. */
  healthPort: number;
  /** The nodes of its route. */
  nodes: string;
}

const proxyHealthPort = 10_256;
const pollMs = 250;
const settings = JSON.parse(process.argv[2] ?? "{}") as BalancerSettings;
const balanced = new Map<string, Balanced>();

await runCommand("sysctl", ["-qw", "net.ipv4.fib_multipath_hash_policy=1"]);
void watchServices();
for (;;) {
  await Promise.all([...balanced.values()].map((service) => route(service)));
  await new Promise((resolve) => setTimeout(resolve, pollMs));
}

/** Starts the watch again when it ends, because the API server may stop. */
async function watchServices(): Promise<never> {
  const args = ["get", "services", "-A", "--watch", "--output-watch-events", "-o", "json"];
  for (;;) {
    const child = spawn(settings.kubectl, args, {
      env: { ...process.env, KUBECONFIG: settings.kubeconfig },
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface(child.stdout))
      await updateService(JSON.parse(line) as { type: string; object: Service });
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function updateService({ type, object }: { type: string; object: Service }): Promise<void> {
  const { uid } = object.metadata;
  const isOurs = object.spec.type === "LoadBalancer" && type !== "DELETED";
  const known = balanced.get(uid);
  if (known && !isOurs) {
    balanced.delete(uid);
    await ip("route", "del", known.address).catch(() => undefined);
    log(`${known.address}: released`);
  }
  if (!isOurs) return;
  const healthPort = object.spec.healthCheckNodePort ?? proxyHealthPort;
  const assigned = object.status?.loadBalancer?.ingress?.[0]?.ip;
  if (known) known.healthPort = healthPort;
  else balanced.set(uid, { address: assigned ?? freeAddress(object), healthPort, nodes: "" });
  const { address = "" } = balanced.get(uid) ?? {};
  if (assigned !== address) await writeStatus(object, address);
}

function freeAddress({ spec, metadata }: Service): string {
  const taken = new Set([...balanced.values()].map(({ address }) => address));
  const free = spec.loadBalancerIP || settings.addresses.find((address) => !taken.has(address));
  if (free === undefined)
    throw new Error(`there is no free address for ${metadata.namespace}/${metadata.name}`);
  return free;
}

async function writeStatus({ metadata }: Service, address: string): Promise<void> {
  const patch = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip: address }] } } });
  const what = ["patch", "service", metadata.name, "-n", metadata.namespace, "--subresource=status"];
  const env = { KUBECONFIG: settings.kubeconfig };
  await runCommand(settings.kubectl, [...what, "--type=merge", "-p", patch], { env }).catch(
    (error: unknown) => log(String(error)),
  );
  log(`${address}: ${metadata.namespace}/${metadata.name}`);
}

async function route(service: Balanced): Promise<void> {
  const answers = await Promise.all(settings.nodes.map((node) => isHealthy(node, service.healthPort)));
  const healthy = settings.nodes.filter((_, index) => answers[index]);
  const nodes = healthy.join(" ");
  if (nodes === service.nodes) return;
  service.nodes = nodes;
  const hops = healthy.flatMap((node) => ["nexthop", "via", node]);
  if (hops.length > 0) await ip("route", "replace", service.address, ...hops);
  else await ip("route", "replace", "blackhole", service.address);
  log(`${service.address} -> ${nodes || "no node"}`);
}

async function isHealthy(node: string, port: number): Promise<boolean> {
  const path = port === proxyHealthPort ? "/healthz" : "/";
  try {
    const answer = await fetch(`http://${node}:${port}${path}`, { signal: AbortSignal.timeout(500) });
    await answer.text();
    return answer.status === 200;
  } catch {
    return false;
  }
}

function ip(...args: readonly string[]): Promise<string> {
  return runCommand("ip", args);
}

function log(line: string): void {
  process.stdout.write(`${Date.now()} ${line}\n`);
}
