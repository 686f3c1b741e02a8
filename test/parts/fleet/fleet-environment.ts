/**
 * A real API server with a real controller manager, a real MariaDB, and in this process the controller of SipClusters with its real source.
 * Deployments have pods, but no kubelet runs them: the test writes the pods' status and the rows of `strowger_node`.
 */
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { KubeConnection } from "../../../operator/src/adapters/kube/kube-connection.ts";
import { ClusterInstallations } from "../../../operator/src/installations/cluster-installations.ts";
import { type Clock, systemClock } from "../../../operator/src/runtime/clock.ts";
import { ControllerLoop } from "../../../operator/src/runtime/controller.ts";
import type { Manifest } from "../../../operator/src/runtime/manifests.ts";
import type { Change } from "../../../operator/src/runtime/source.ts";
import { StatusWriter } from "../../../operator/src/runtime/status-writer.ts";
import { SipClusterController } from "../../../operator/src/sip-cluster/controller.ts";
import { KubernetesManifests } from "../../../operator/src/sources/kubernetes/kubernetes-manifests.ts";
import { KubernetesSource } from "../../../operator/src/sources/kubernetes/kubernetes-source.ts";
import { ApiServer } from "../../support/kubernetes/api-server.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { eventually } from "../api-server/eventually.ts";

interface Cluster {
  readonly metadata: { readonly uid: string; readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration: number;
    }[];
    readonly [field: string]: unknown;
  };
}

const noObserver = {
  reflecting: () => undefined,
  failed: () => undefined,
  handlerFailed: () => undefined,
  waits: () => undefined,
  eventFailed: () => undefined,
};

export class FleetEnvironment implements AsyncDisposable {
  readonly server: ApiServer;
  readonly database: TestMariadb;
  /** The errors of reconciles. */
  readonly failures: string[] = [];
  /** The number of reconciles. */
  reconciles = 0;
  /** The operator's clock is ahead of the test's clock by this time. */
  skew = 0;
  readonly #parts: AsyncDisposableStack;
  #loop: ControllerLoop | undefined;

  private constructor(server: ApiServer, database: TestMariadb, parts: AsyncDisposableStack) {
    this.server = server;
    this.database = database;
    this.#parts = parts;
  }

  static async start(): Promise<FleetEnvironment> {
    await using parts = new AsyncDisposableStack();
    const server = parts.use(await ApiServer.start({ controllerManager: true }));
    const database = parts.use(await startMariadb());
    await server.installCrds();
    await database.query("CREATE USER operator IDENTIFIED BY 'secret'");
    await database.query("GRANT ALL ON *.* TO operator");
    await server.apply(
      JSON.stringify({
        ...{ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/basic-auth" },
        metadata: { name: "mysql", namespace: "default" },
        stringData: { username: "operator", password: "secret" },
      }),
    );
    const environment = new FleetEnvironment(server, database, parts.move());
    await environment.#startOperator();
    return environment;
  }

  /** Applies SipCluster default/pbx with the database. */
  async cluster(spec: object = {}, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
    const mysql = {
      ...{ hosts: ["127.0.0.1"], port: this.database.port, database: "strowger" },
      credentialsSecretRef: { name: "mysql" },
    };
    await this.server.apply(
      JSON.stringify({
        ...{ apiVersion: "sip.strowger.dev/v1alpha1", kind: "SipCluster" },
        metadata: { name: "pbx", namespace: "default", annotations },
        spec: { mysql, ...spec },
      }),
    );
  }

  find(): Promise<Cluster> {
    return this.server.get<Cluster>("sipcluster", "pbx");
  }

  /** Undefined if it does not exist. */
  object(kind: string, name: string): Promise<Manifest | undefined> {
    return this.server.get<Manifest>(kind, name).catch((error: unknown) => {
      if (String(error).includes("NotFound")) return undefined;
      throw error;
    });
  }

  /** Waits until the condition has this reason for the current generation; returns its message. */
  async becomes(reason: string, type = "Ready"): Promise<string> {
    let found: Cluster | undefined;
    const condition = () => found?.status?.conditions?.find((one) => one.type === type);
    await eventually(
      `${type} is ${reason}`,
      async () => {
        found = await this.find();
        return (
          condition()?.reason === reason && condition()?.observedGeneration === found.metadata.generation
        );
      },
      { more: () => `${JSON.stringify(found?.status, undefined, 1)}\n${this.failures.slice(-3).join("\n")}` },
    );
    return condition()?.message ?? "";
  }

  /** Writes the Service's address as a load balancer does. */
  async giveAddress(service: string, ip: string): Promise<void> {
    const status = { loadBalancer: { ingress: [{ ip }] } };
    await this.server.kubectl([
      ...["patch", "service", service, "--subresource=status", "--type=merge"],
      ...["-p", JSON.stringify({ status })],
    ]);
  }

  async pods(): Promise<readonly Manifest[]> {
    const { items } = await this.server.get<{ items: Manifest[] }>(
      "pods",
      "-l",
      "sip.strowger.dev/cluster=pbx",
    );
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Waits for this number of pods and makes them Ready, as kubelets do. */
  async run(count: number): Promise<readonly Manifest[]> {
    let pods: readonly Manifest[] = [];
    await eventually(`${count} pods`, async () => (pods = await this.pods()).length === count);
    const long = new Date(Date.now() - 60_000).toISOString();
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: long }];
    const status = { phase: "Running", podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }], conditions };
    for (const { metadata } of pods)
      await this.server.kubectl([
        ...["patch", "pod", metadata.name, "--subresource=status", "--type=merge"],
        ...["-p", JSON.stringify({ status })],
      ]);
    return pods;
  }

  /** Writes the row of a node with a heartbeat of the year 2100. */
  async writeHeartbeat(name: string, { load = 0, hash = "", outside = 0 } = {}): Promise<void> {
    await this.database.query(
      `REPLACE INTO strowger_node (node_id, name, address, schema_min, schema_max, configuration_hash, load_transactions, outside_seen_at, started_at, beat_at)
       VALUES (LEFT(MD5(?), 12), ?, '127.0.0.1:1', 3, 3, ?, ?, ?, 1, 4102444800000)`,
      [name, name, hash, load, outside],
    );
  }

  /** Reconciles everything twice, so that the second run sees the changes of the first. */
  async resync(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const before = this.reconciles;
      this.#loop?.resync();
      // One for the cluster and one for the sweep.
      await eventually("everything was reconciled", () => this.reconciles >= before + 2);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }

  async #startOperator(): Promise<void> {
    const clock: Clock = { ...systemClock, now: () => Date.now() + this.skew };
    const connection = KubeConnection.fromFile(this.server.kubeconfig);
    const watching = { client: new KubeClient(connection), clock, random: Math.random, observer: noObserver };
    const source = new KubernetesSource(watching);
    const manifests = new KubernetesManifests(watching);
    const installations = new ClusterInstallations(source, {
      ...{ name: "test", clock, onOpen: () => undefined, onBack: () => undefined, onLost: () => undefined },
      isLeader: () => true,
    });
    const fleet = {
      ...{ manifests, nodeImage: "registry.example/sip-node:1.0.0" },
      nodePull: { policy: undefined, secrets: [] },
      ...{ clusterRanges: ["127.0.0.0/8"], metricsFrom: [{ namespaceSelector: {} }] },
    };
    const status = new StatusWriter(source, clock, () => undefined);
    const onChange = (key: Change["key"]): void => loop.changed({ kind: "SipCluster", key, what: "object" });
    const controller = new SipClusterController({
      ...{ installations, source, status, clock, fleet, onChange },
      onFailure: (cause) => this.failures.push(String(cause)),
    });
    const nothing = (): void => undefined;
    const loop: ControllerLoop = new ControllerLoop(
      controller,
      source,
      {
        queue: { added: nothing, taken: nothing, finished: nothing, retried: nothing },
        reconcile: {
          started: nothing,
          finished: () => (this.reconciles += 1),
          failed: (_key: string, cause: unknown) => this.failures.push((cause as Error).stack ?? ""),
        },
        ...{ removed: nothing, planned: nothing },
      },
      { clock: systemClock, random: Math.random, seconds: () => performance.now() / 1000, workers: 1 },
    );
    this.#loop = loop;
    const changed = (change: Change): void => {
      installations.changed(change);
      loop.changed(change);
    };
    this.#parts.defer(async () => {
      manifests.stop();
      await loop.stop();
      await source.stop();
      await installations.close();
      await connection.close();
    });
    await Promise.all([source.start({ changed, settled: () => loop.sweep() }), manifests.start({ changed })]);
    loop.start();
  }
}
