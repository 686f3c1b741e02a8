/**
 * A real Kubernetes with two nodes on one machine, without Docker and without changes of the machine's own network:
 *
 *   cp 10.213.0.10   etcd, API server, controller manager, scheduler
 *   k1 10.213.0.1    containerd, kubelet, kube-proxy, pods 10.244.1.0/24
 *   k2 10.213.0.2    the same, pods 10.244.2.0/24
 *   ph 10.213.0.3    phones and the load balancer
 *   db 10.213.0.4    programs outside the cluster, such as a database
 *
 * Each is a network namespace. A bridge in a separate namespace connects them. Services are in 10.96.0.0/16.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, cp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeBinaries } from "../../tools/build.ts";
import { ControlPlane } from "./control-plane.ts";
import { clusterImages } from "./images.ts";
import { type ClientPlan, KubeClient, type KubectlOptions } from "./kube-client.ts";
import { KubeNode, type ProxyMode } from "./kube-node.ts";
import { buildNetwork, command, namespaceOf, onHost, runName } from "./namespaces.ts";
import { removeDeadRuns, removeRun, runFolder } from "./remove-run.ts";

interface KubeClusterPlan {
  readonly proxyMode?: ProxyMode;
  /** Archives of additional images for the nodes. */
  readonly archives?: readonly string[];
}

export const hosts = {
  cp: { name: "cp", address: "10.213.0.10" },
  k1: { name: "k1", address: "10.213.0.1", podRange: "10.244.1.0/24" },
  k2: { name: "k2", address: "10.213.0.2", podRange: "10.244.2.0/24" },
  ph: { name: "ph", address: "10.213.0.3" },
  db: { name: "db", address: "10.213.0.4" },
} as const;

type HostName = keyof typeof hosts;

export class KubeCluster extends KubeClient implements AsyncDisposable {
  readonly nodes: readonly KubeNode[];
  readonly folder: string;
  readonly #run: string;
  readonly #plane: ControlPlane;
  readonly #remover: ChildProcess;

  private constructor(client: ClientPlan, parts: Parts) {
    super(client);
    this.nodes = parts.nodes;
    this.folder = parts.folder;
    this.#run = parts.run;
    this.#plane = parts.plane;
    this.#remover = parts.remover;
  }

  /** Resolves when both nodes and DNS are ready. */
  static async start(plan: KubeClusterPlan = {}): Promise<KubeCluster> {
    await removeDeadRuns();
    const archives = [...(await clusterImages()), ...(plan.archives ?? [])];
    const { kubectl } = await kubeBinaries(["kubectl", "helm", "kubelet", "kube-proxy"]);
    const run = runName(process.pid);
    const folder = runFolder(run);
    await mkdir(folder, { mode: 0o755 });
    const remover = startRemover(run);
    try {
      await buildNetwork(run, Object.values(hosts));
      await routePods(run);
      const plane = await startControlPlane(run, folder);
      const common = { run, folder, archives, proxyMode: plan.proxyMode ?? "iptables" } as const;
      const proxyKubeconfig = plane.kubeconfigOf("admin");
      const nodes = [hosts.k1, hosts.k2].map(
        (host) =>
          new KubeNode({
            ...common,
            ...host,
            kubeconfig: plane.kubeconfigOf(userOf(host.name)),
            proxyKubeconfig,
          }),
      );
      const prefix = onHost(run, "cp");
      const client = { kubectl, kubeconfig: plane.kubeconfigOf("admin"), prefix };
      const cluster = new KubeCluster(client, { nodes, folder, run, plane, remover });
      await Promise.all(nodes.map((node) => node.start()));
      await cluster.#untilReady();
      return cluster;
    } catch (error) {
      const logs = await saveLogs(folder);
      await removeRun(run);
      remover.kill("SIGKILL");
      throw new Error(`the cluster did not start; its logs are in ${logs}`, { cause: error });
    }
  }

  /** Runs helm with this cluster, without the user's own settings. */
  override async helm(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const home = join(this.folder, "helm");
    const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, ...options.env };
    return await super.helm(args, { ...options, env });
  }

  node(name: string): KubeNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** The network namespace of a host. */
  namespace(host: HostName): string {
    return namespaceOf(this.#run, host);
  }

  /** Runs a command on a host. */
  async on(host: HostName, ...args: readonly string[]): Promise<string> {
    return await command(this.#run, host)(...args);
  }

  /** Copies the logs of the programs and pods, and the cluster's Events, for a failed test. Returns the folder. */
  async saveLogs(): Promise<string> {
    const save = async (name: string, args: readonly string[]) => {
      const text = await this.kubectl(args, { timeoutMs: 20_000 }).catch((error: unknown) => String(error));
      await writeFile(join(this.folder, name), text);
    };
    await save("events.log", ["get", "events", "-A", "--sort-by=.lastTimestamp", "-o", "wide"]);
    await save("objects.yaml", ["get", "sip,deploy,pods,svc,endpointslices", "-A", "-o", "yaml"]);
    await save("pods.log", ["get", "pods", "-A", "-o", "wide"]);
    return await saveLogs(this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plane.stop("kube-apiserver", "SIGKILL");
    await this.#plane[Symbol.asyncDispose]();
    await removeRun(this.#run);
    this.#remover.kill("SIGKILL");
  }

  async #untilReady(): Promise<void> {
    for (const { name, podRange } of [hosts.k1, hosts.k2]) {
      await this.kubectl(["wait", "--for=create", `node/${name}`, "--timeout=120s"]);
      const patch = JSON.stringify({ spec: { podCIDR: podRange, podCIDRs: [podRange] } });
      await this.kubectl(["patch", "node", name, "-p", patch]);
    }
    await this.kubectl(["wait", "--for=condition=Ready", "node", "--all", "--timeout=120s"]);
    await this.apply(await readFile(join(import.meta.dirname, "coredns.yaml"), "utf8"));
    const dns = ["rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=120s"];
    await this.kubectl(dns);
  }
}

interface Parts {
  readonly nodes: readonly KubeNode[];
  readonly folder: string;
  readonly run: string;
  readonly plane: ControlPlane;
  readonly remover: ChildProcess;
}

const userOf = (node: string): string => `system:node:${node}`;

/** Adds routes: to the pods of a node through that node, and a default route to the phones' host. */
async function routePods(run: string): Promise<void> {
  for (const { name } of [hosts.k1, hosts.k2, hosts.cp])
    for (const { name: other, address, podRange } of [hosts.k1, hosts.k2])
      if (name !== other) await command(run, name)("ip", "route", "add", podRange, "via", address);
  for (const { name } of [hosts.k1, hosts.k2, hosts.cp])
    await command(run, name)("ip", "route", "add", "default", "via", hosts.ph.address);
}

async function startControlPlane(run: string, folder: string): Promise<ControlPlane> {
  const plane = await ControlPlane.start({
    folder,
    address: hosts.cp.address,
    ...{ port: 6443, etcdPort: 2379, etcdPeerPort: 2380 },
    users: { [userOf("k1")]: ["system:nodes"], [userOf("k2")]: ["system:nodes"] },
    prefix: onHost(run, "cp"),
    arguments: ["--kubelet-preferred-address-types=InternalIP"],
  });
  await plane.startControllerManager();
  await plane.startScheduler();
  return plane;
}

/** Starts a process that removes the run when this process has ended, also when it was killed. */
function startRemover(run: string): ChildProcess {
  const script = join(import.meta.dirname, "remove-after.ts");
  const child = spawn(process.execPath, [script, run], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  return child;
}

/** Copies the logs, because the folder is removed later. Returns the folder of the copies. */
async function saveLogs(folder: string): Promise<string> {
  const copies = await mkdtemp(join(tmpdir(), "strowger-kube-logs-"));
  for (const sub of [".", "k1", "k2"]) {
    const from = join(folder, sub);
    const names = await readdir(from).catch(() => []);
    await mkdir(join(copies, sub), { recursive: true });
    for (const name of names.filter((one) => /\.(log|yaml)$|^logs$/.test(one)))
      await cp(join(from, name), join(copies, sub, name), { recursive: true, force: true }).catch(
        () => undefined,
      );
  }
  return copies;
}
