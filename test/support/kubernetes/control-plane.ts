/**
 * etcd and the Kubernetes programs of a control plane, as child processes of the test with their own data. Users log in with tokens; the
 * serving certificate is self-signed. The caller chooses the addresses: free ports on loopback, or a network namespace.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findCommand } from "../../../cli/src/setup/tools.ts";
import { assetOf, kubeBinaries } from "../../tools/build.ts";
import { startChild, type TestChild } from "../child.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { runCommand } from "./run-command.ts";

interface ControlPlanePlan {
  readonly folder: string;
  /** The address and port of the API server, and etcd's two ports on loopback. */
  readonly address: string;
  readonly port: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  /** Users in addition to `admin` (group system:masters), with their groups. */
  readonly users: Readonly<Record<string, readonly string[]>>;
  /** A command prefix that runs a program in another place, such as `nsenter --net=...`. */
  readonly prefix?: readonly string[];
  readonly arguments?: readonly string[];
}

/** The time limit for the start of a server, on a busy machine. */
const startTimeoutMs = 90_000;

export class ControlPlane implements AsyncDisposable {
  readonly url: string;
  readonly plan: ControlPlanePlan;
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #children = new Map<string, TestChild>();

  private constructor(plan: ControlPlanePlan, tokens: Readonly<Record<string, string>>) {
    this.plan = plan;
    this.#tokens = tokens;
    this.url = `https://${plan.address}:${plan.port}`;
  }

  /** Resolves when the API server is ready. */
  static async start(plan: ControlPlanePlan): Promise<ControlPlane> {
    const names = ["admin", ...Object.keys(plan.users)];
    const tokens = Object.fromEntries(names.map((name) => [name, randomBytes(16).toString("hex")]));
    const plane = new ControlPlane(plan, tokens);
    try {
      await plane.#writeFiles();
      for (const name of names) await plane.kubeconfig(name, tokens[name] ?? "");
      plane.startEtcd();
      await plane.startApiServer();
      return plane;
    } catch (error) {
      await plane[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The path of the kubeconfig of `admin` or of a user of the plan. */
  kubeconfigOf(user: string): string {
    return join(this.plan.folder, `${user}.kubeconfig`);
  }

  /** Writes a kubeconfig with a token. Returns its path. */
  async kubeconfig(name: string, token: string): Promise<string> {
    const authority = join(this.plan.folder, "certs/apiserver.crt");
    return await writeKubeconfig(this.kubeconfigOf(name), { server: this.url, token, authority });
  }

  child(name: string): TestChild | undefined {
    return this.#children.get(name);
  }

  startEtcd(): void {
    const { folder, etcdPeerPort } = this.plan;
    const command = assetOf("etcd") ?? findCommand("etcd");
    if (command === undefined)
      throw new Error("etcd is not installed. On Debian: apt-get install etcd-server");
    const [client, peer] = [this.etcdUrl, `http://127.0.0.1:${etcdPeerPort}`];
    this.#run("etcd", command, [
      `--data-dir=${join(folder, "etcd")}`,
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
      `--initial-cluster=default=${peer}`,
      `--logger=zap`,
    ]);
  }

  get etcdUrl(): string {
    return `http://127.0.0.1:${this.plan.etcdPort}`;
  }

  async startApiServer(): Promise<void> {
    const { folder, address, port } = this.plan;
    const { "kube-apiserver": command } = await kubeBinaries(["kube-apiserver"]);
    this.#run("kube-apiserver", command, [
      `--etcd-servers=${this.etcdUrl}`,
      ...[`--bind-address=${address}`, `--advertise-address=${address}`, `--secure-port=${port}`],
      `--cert-dir=${join(folder, "certs")}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      "--allow-privileged=true",
      "--authorization-mode=Node,RBAC",
      `--token-auth-file=${join(folder, "tokens.csv")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${join(folder, "sa.pub")}`,
      `--service-account-signing-key-file=${join(folder, "sa.key")}`,
      ...(this.plan.arguments ?? []),
    ]);
    await this.#waitForAnswer("kube-apiserver", "/readyz");
  }

  /** Stops a program, with `SIGKILL` as in a crash. Its data stay. */
  async stop(name: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#children.get(name)?.end(signal);
  }

  /** Needed for garbage collection, the deletion of namespaces, and the pods of Deployments. */
  async startControllerManager(): Promise<void> {
    const { folder } = this.plan;
    const { "kube-controller-manager": command } = await kubeBinaries(["kube-controller-manager"]);
    this.#run("kube-controller-manager", command, [
      `--kubeconfig=${this.kubeconfigOf("admin")}`,
      `--service-account-private-key-file=${join(folder, "sa.key")}`,
      `--root-ca-file=${join(folder, "certs/apiserver.crt")}`,
      "--use-service-account-credentials",
      "--leader-elect=false",
      "--secure-port=0",
    ]);
    // Its first visible effect. Before that it would end if the API server stopped.
    await this.#waitForAnswer(
      "kube-controller-manager",
      "/api/v1/namespaces/default/serviceaccounts/default",
    );
  }

  async startScheduler(): Promise<void> {
    const { "kube-scheduler": command } = await kubeBinaries(["kube-scheduler"]);
    const kubeconfig = `--kubeconfig=${this.kubeconfigOf("admin")}`;
    this.#run("kube-scheduler", command, [kubeconfig, "--leader-elect=false", "--secure-port=0"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Clients of the API server are stopped first, and etcd last, so that the logs have no connection errors.
    for (const child of [...this.#children.values()].reverse()) await child.end();
  }

  async #writeFiles(): Promise<void> {
    const { folder, users } = this.plan;
    await mkdir(join(folder, "etcd"), { recursive: true, mode: 0o700 });
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(join(folder, "sa.key"), privateKey.export({ type: "pkcs8", format: "pem" }), {
      mode: 0o600,
    });
    await writeFile(join(folder, "sa.pub"), publicKey.export({ type: "spki", format: "pem" }));
    const groups = { admin: ["system:masters"], ...users };
    const rows = Object.entries(groups).map(
      ([name, list]) => `${this.#tokens[name]},${name},uid-${name},"${list.join(",")}"`,
    );
    await writeFile(join(folder, "tokens.csv"), `${rows.join("\n")}\n`, { mode: 0o600 });
  }

  #run(name: string, command: string, args: readonly string[]): void {
    const [first = command, ...rest] = [...(this.plan.prefix ?? []), command, ...args];
    const log = join(this.plan.folder, `${name}.log`);
    this.#children.set(name, startChild(first, rest, { cwd: this.plan.folder, log }));
  }

  /** Waits until the API server answers a GET of the path. */
  async #waitForAnswer(name: string, path: string): Promise<void> {
    const { kubectl } = await kubeBinaries(["kubectl"]);
    const [first = kubectl, ...rest] = [...(this.plan.prefix ?? []), kubectl];
    const args = [...rest, "--kubeconfig", this.kubeconfigOf("admin"), "get", "--raw", path];
    const child = this.#children.get(name);
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline && child?.process.exitCode === null) {
      const answer = await runCommand(first, args, { timeoutMs: 5_000 }).catch(() => undefined);
      if (answer !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${name} did not become ready:\n${child?.output().slice(-3000) ?? ""}`);
  }
}
