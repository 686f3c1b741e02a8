/**
 * A Kubernetes API server for tests: etcd and kube-apiserver on free ports of 127.0.0.1 (ready after about 3 s), and optionally
 * kube-controller-manager, which is needed for garbage collection and the deletion of namespaces. There are no nodes, so pods never run.
 * With USE_EXISTING_CLUSTER=true the cluster of the current kubeconfig is used; it is neither started nor stopped.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../../../cli/src/up/free-port.ts";
import { kubeBinaries } from "../../tools/build.ts";
import { ControlPlane } from "./control-plane.ts";
import { type ClientPlan, KubeClient } from "./kube-client.ts";

export interface ApiServerPlan {
  /** Users in addition to the administrator, with their groups. RBAC gives them rights. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  readonly controllerManager?: boolean;
  /** Additional arguments of kube-apiserver. */
  readonly arguments?: readonly string[];
}

export const useExistingCluster = process.env["USE_EXISTING_CLUSTER"] === "true";

export class ApiServer extends KubeClient implements AsyncDisposable {
  /** Undefined for an existing cluster. */
  readonly #plane: ControlPlane | undefined;

  private constructor(client: ClientPlan, plane?: ControlPlane) {
    super(client);
    this.#plane = plane;
  }

  static async start(plan: ApiServerPlan = {}): Promise<ApiServer> {
    const { kubectl } = await kubeBinaries(["kubectl"]);
    if (useExistingCluster)
      return new ApiServer({
        kubectl,
        kubeconfig: process.env["KUBECONFIG"] ?? join(homedir(), ".kube/config"),
      });
    const folder = await mkdtemp(join(tmpdir(), "strowger-api-server-"));
    const free = () => freeTcpPort("127.0.0.1", 0);
    const plane = await ControlPlane.start({
      folder,
      address: "127.0.0.1",
      ...{ port: await free(), etcdPort: await free(), etcdPeerPort: await free() },
      users: plan.users ?? {},
      arguments: plan.arguments ?? [],
    });
    if (plan.controllerManager) await plane.startControllerManager();
    return new ApiServer({ kubectl, kubeconfig: plane.kubeconfigOf("admin") }, plane);
  }

  /** `https://127.0.0.1:port`. */
  get url(): string {
    return this.#own().url;
  }

  /** False for an existing cluster, whose API server cannot be stopped. */
  get isOwn(): boolean {
    return this.#plane !== undefined;
  }

  /** The kubeconfig of a user of the plan. */
  kubeconfigOf(user: string): string {
    return this.#own().kubeconfigOf(user);
  }

  /** Creates a ServiceAccount if it does not exist. Returns its kubeconfig. Its RBAC name is `system:serviceaccount:namespace:name`. */
  async serviceAccount(namespace: string, name: string): Promise<string> {
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } };
    await this.apply(JSON.stringify(account));
    const token = await this.kubectl(["create", "token", name, "-n", namespace, "--duration=24h"]);
    return await this.#own().kubeconfig(`${namespace}-${name}`, token.trim());
  }

  /** Stops the API server, but not etcd; connections break and new ones are refused. */
  async stopServer(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#own().stop("kube-apiserver", signal);
  }

  /** Starts it again at the same address with the same data. Its watch cache is empty then. */
  async startServer(): Promise<void> {
    await this.#own().startApiServer();
  }

  /** The API server still listens but does not answer, as behind a network that drops packets. */
  pause(): void {
    this.#own().child("kube-apiserver")?.process.kill("SIGSTOP");
  }

  resume(): void {
    this.#own().child("kube-apiserver")?.process.kill("SIGCONT");
  }

  /** Compacts etcd: only the newest version of each object stays. After a restart of the server an older watch gets 410. */
  async compact(): Promise<void> {
    const etcd = async (path: string, body: object) => {
      const answer = await fetch(`${this.#own().etcdUrl}/v3/kv/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as { readonly header: { readonly revision: string } };
    };
    const { header } = await etcd("range", { key: Buffer.from("/").toString("base64"), count_only: true });
    await etcd("compaction", { revision: header.revision, physical: true });
  }

  /** The log of the API server. */
  log(): string {
    return this.#plane?.child("kube-apiserver")?.output() ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#plane === undefined) return;
    this.resume();
    await this.#plane[Symbol.asyncDispose]();
    await rm(this.#plane.plan.folder, { recursive: true, force: true });
  }

  #own(): ControlPlane {
    if (this.#plane === undefined) throw new Error("an existing cluster cannot be stopped");
    return this.#plane;
  }
}
