/**
 * A node of the test's cluster in its network namespace: containerd with runc, kubelet, kube-proxy. Pods are routed and not bridged (the
 * `ptp` plugin), so that every packet between two pods passes the node's own rules. Packets that leave the pods' network are masqueraded.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kubeBinaries } from "../../tools/build.ts";
import { startChild } from "../child.ts";
import { images } from "./images.ts";
import { command, type Host, namespaceOf } from "./namespaces.ts";
import { killTree } from "./remove-run.ts";
import { runCommand } from "./run-command.ts";

export type ProxyMode = "iptables" | "nftables";

interface NodePlan extends Host {
  readonly run: string;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly proxyKubeconfig: string;
  readonly podRange: string;
  readonly proxyMode: ProxyMode;
  readonly archives: readonly string[];
}

const podNetwork = "10.244.0.0/16";

export class KubeNode {
  readonly name: string;
  readonly address: string;
  readonly #plan: NodePlan;
  readonly #folder: string;

  constructor(plan: NodePlan) {
    this.#plan = plan;
    this.name = plan.name;
    this.address = plan.address;
    this.#folder = join(plan.folder, plan.name);
  }

  /** Resolves when its programs run; the node's condition Ready comes later. */
  async start(): Promise<void> {
    for (const sub of ["cni", "run", "kubelet", "logs"])
      await mkdir(join(this.#folder, sub), { recursive: true });
    const here = command(this.#plan.run, this.name);
    const outside = ["-s", podNetwork, "!", "-d", podNetwork];
    await here("iptables", "-t", "nat", "-A", "POSTROUTING", ...outside, "-j", "MASQUERADE");
    await this.#startContainerd();
    await this.#import(this.#plan.archives);
    await this.#startKubelet();
    await this.#startProxy();
  }

  /** The path of containerd's socket. */
  get socket(): string {
    return join(this.#folder, "run/containerd.sock");
  }

  /** Adds a second name to an image of the node. */
  async tag(image: string, name: string): Promise<void> {
    await this.#ctr("images", "tag", "--force", image, name);
  }

  /** `kill -9` of the main process of a pod's container; the kubelet starts it again. */
  async killContainer(pod: string, container: string): Promise<void> {
    const labels = { "io.kubernetes.pod.name": pod, "io.kubernetes.container.name": container };
    const filters = Object.entries(labels).map(([key, value]) => `labels."${key}"==${value}`);
    const ids = await this.#ctr("containers", "ls", "-q", filters.join(","));
    const running = await this.#ctr("tasks", "ls", "-q");
    const id = ids
      .trim()
      .split("\n")
      .find((one) => running.includes(one)); // an earlier container may still exist
    if (!id) throw new Error(`${this.name} does not run a container ${container} of ${pod}`);
    await this.#ctr("tasks", "kill", "--signal", "SIGKILL", id);
  }

  /** Simulates a power failure: all its processes are killed, and it does not answer any more. */
  async lose(): Promise<void> {
    await command(this.#plan.run, this.name)("ip", "link", "set", "eth0", "down");
    await killTree(this.#folder);
  }

  async #startContainerd(): Promise<void> {
    const folder = this.#folder;
    await writeFile(join(folder, "containerd.toml"), containerdConfiguration(folder));
    await writeFile(join(folder, "cni/10-pods.conflist"), JSON.stringify(podNetworkOf(this.#plan, folder)));
    this.#run("containerd", "containerd", ["-c", join(folder, "containerd.toml")]);
    const deadline = Date.now() + 60_000;
    while (!(await this.#ctr("version").catch(() => undefined))) {
      if (Date.now() > deadline) throw new Error(`containerd of ${this.name} did not start: see ${folder}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #import(archives: readonly string[]): Promise<void> {
    for (const archive of archives) await this.#ctr("images", "import", archive);
  }

  #ctr(...args: readonly string[]): Promise<string> {
    return runCommand("ctr", ["-a", this.socket, "-n", "k8s.io", ...args], { timeoutMs: 300_000 });
  }

  async #startKubelet(): Promise<void> {
    const { kubelet } = await kubeBinaries(["kubelet"]);
    const folder = this.#folder;
    const configuration = {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      // The machine may be a container or a small virtual machine, without systemd and without the right to lower an OOM score.
      ...{ cgroupDriver: "cgroupfs", cgroupsPerQOS: false, enforceNodeAllocatable: [], oomScoreAdj: 0 },
      ...{ maxOpenFiles: 20_000, failSwapOn: false, evictionHard: { "memory.available": "100Mi" } },
      ...{ clusterDNS: ["10.96.0.10"], clusterDomain: "cluster.local", resolvConf: "" },
      containerRuntimeEndpoint: `unix://${this.socket}`,
      podLogsDir: join(folder, "logs"),
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: "AlwaysAllow" },
      address: this.address,
    };
    await writeFile(join(folder, "kubelet.json"), JSON.stringify(configuration));
    this.#run("kubelet", kubelet, [
      `--config=${join(folder, "kubelet.json")}`,
      `--kubeconfig=${this.#plan.kubeconfig}`,
      ...[`--root-dir=${join(folder, "kubelet")}`, `--cert-dir=${join(folder, "pki")}`],
      ...[`--hostname-override=${this.name}`, `--node-ip=${this.address}`],
    ]);
  }

  async #startProxy(): Promise<void> {
    const { "kube-proxy": proxy } = await kubeBinaries(["kube-proxy"]);
    const configuration = {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode: this.#plan.proxyMode,
      clientConnection: { kubeconfig: this.#plan.proxyKubeconfig },
      ...{ hostnameOverride: this.name, oomScoreAdj: 0, clusterCIDR: podNetwork },
      ...{ bindAddress: this.address, healthzBindAddress: `${this.address}:10256` },
      conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    };
    const path = join(this.#folder, "kube-proxy.json");
    await writeFile(path, JSON.stringify(configuration));
    this.#run("kube-proxy", proxy, [`--config=${path}`]);
  }

  #run(name: string, program: string, args: readonly string[]): void {
    const namespace = namespaceOf(this.#plan.run, this.name);
    startChild(program, args, { log: join(this.#folder, `${name}.log`), namespace });
  }
}

function podNetworkOf(plan: NodePlan, folder: string): object {
  const range = [[{ subnet: plan.podRange }]];
  const routes = [{ dst: "0.0.0.0/0" }];
  const ipam = { type: "host-local", dataDir: join(folder, "ipam"), ranges: range, routes };
  return {
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      { type: "ptp", ipMasq: false, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

function containerdConfiguration(folder: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
[grpc]
  address = "${folder}/run/containerd.sock"
[${cri}]
  sandbox_image = "${images.pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  enable_unprivileged_ports = true
  netns_mounts_under_state_dir = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${folder}/cni"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}
