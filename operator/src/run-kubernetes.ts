/**
 * The operator in Kubernetes. Every replica holds a copy of the objects, serves probes and metrics, and takes part in the election. Only the
 * leader opens databases and runs the controllers. A process that loses the Lease ends at once, without another write.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { OperatorView } from "./adapters/http/operator-routes.ts";
import { KubeClient } from "./adapters/kube/kube-client.ts";
import { KubeConnection } from "./adapters/kube/kube-connection.ts";
import { leaseStore } from "./adapters/kube/lease-store.ts";
import type { Config, KubernetesConfig } from "./config.ts";
import { createControllers, type Controllers } from "./controllers.ts";
import { ClusterInstallations } from "./installations/cluster-installations.ts";
import { createLog, logOpening, repeatHeartbeats, serve, stopOnce, type Stop } from "./process-edge.ts";
import { monotonicClock, systemClock } from "./runtime/clock.ts";
import { LeaderElector } from "./runtime/leader-elector.ts";
import type { Change } from "./runtime/source.ts";
import { KubernetesManifests } from "./sources/kubernetes/kubernetes-manifests.ts";
import { KubernetesSource } from "./sources/kubernetes/kubernetes-source.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { observeClient, observeElector, observeSource } from "./telemetry/observe-kube.ts";

/** For a request about the Lease. The next request, on a new connection, still renews in time if this connection is dead. */
const leaseTimeout = 3_000;
/** For running reconciles, Events and the Lease; the grace period of the pod is 30 s. */
const shutdownTimeout = 20_000;

export const runKubernetes = (config: Config, kubernetes: KubernetesConfig): Promise<void> =>
  new KubernetesOperator(config, kubernetes).run();

class KubernetesOperator {
  readonly #config: Config;
  readonly #kubernetes: KubernetesConfig;
  readonly #identity: string;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #connection: KubeConnection;
  readonly #elector: LeaderElector;
  readonly #source: KubernetesSource;
  readonly #manifests: KubernetesManifests;
  readonly #installations: ClusterInstallations;
  readonly #controllers: Controllers;
  readonly #stop: Stop;
  #isLeading = false;
  #stopHeartbeats = (): void => undefined;

  constructor(config: Config, kubernetes: KubernetesConfig) {
    this.#config = config;
    this.#kubernetes = kubernetes;
    this.#identity = `${kubernetes.pod}_${randomUUID()}`;
    this.#log = createLog(config.logLevel);
    this.#metrics = createMetrics();
    this.#connection = KubeConnection.open();
    this.#elector = this.#createElector();
    const watching = this.#watching();
    this.#source = new KubernetesSource(watching);
    this.#manifests = new KubernetesManifests(watching);
    this.#installations = this.#createInstallations();
    this.#controllers = this.#createControllers();
    this.#stop = stopOnce(this.#log, shutdownTimeout, (status) => this.#end(status));
  }

  async run(): Promise<void> {
    this.#metrics.objects.watch((kind) => (this.#isLeading ? this.#source.list(kind) : []));
    if (!(await serve(this.#config.http, this.#view(), this.#log, this.#stop))) return;
    const changed = (change: Change): void => this.#changed(change);
    await Promise.all([
      this.#source.start({ changed, settled: () => this.#sweep() }),
      this.#manifests.start({ changed }),
    ]);
    this.#elector.start();
  }

  #createElector(): LeaderElector {
    const { lease, podNamespace } = this.#kubernetes;
    const observer = observeClient(this.#metrics);
    const client = new KubeClient(this.#connection, { observer, requestTimeoutMs: leaseTimeout });
    return new LeaderElector(
      leaseStore(client, podNamespace, lease),
      observeElector(lease, this.#metrics, this.#log, {
        elected: () => this.#lead(),
        lost: (why) => this.#stop(1, `no longer the leader: ${why}`),
      }),
      {
        identity: this.#identity,
        clock: monotonicClock,
        wallTime: () => systemClock.now(),
        random: Math.random,
      },
    );
  }

  /** The dependencies of everything that lists and watches. */
  #watching() {
    const { namespaces } = this.#kubernetes;
    const mayWrite = (): boolean => this.#elector.isLeader;
    return {
      client: new KubeClient(this.#connection, { observer: observeClient(this.#metrics), mayWrite }),
      clock: systemClock,
      random: Math.random,
      observer: observeSource(this.#metrics, this.#log),
      ...(namespaces.length === 0 ? {} : { namespaces }),
    };
  }

  #createInstallations(): ClusterInstallations {
    return new ClusterInstallations(this.#source, {
      name: this.#identity,
      clock: systemClock,
      onOpen: (cluster, report) => {
        logOpening(this.#log, report, { cluster });
        this.#controllers.sweep(); // the sweep at the start found no open database
      },
      onBack: (cluster) => this.#controllers.recovered(cluster),
      isLeader: () => this.#elector.isLeader,
      onLost: ({ message }) => this.#stop(1, message),
    });
  }

  #createControllers(): Controllers {
    const { nodeImage, nodePull, clusterRanges, metricsFrom } = this.#kubernetes;
    return createControllers({
      source: this.#source,
      installations: this.#installations,
      fleet: { manifests: this.#manifests, nodeImage, nodePull, clusterRanges, metricsFrom },
      metrics: this.#metrics,
      log: this.#log,
      workers: this.#config.workers,
    });
  }

  #lead(): void {
    this.#isLeading = true;
    this.#controllers.start();
    this.#stopHeartbeats = repeatHeartbeats(this.#installations, this.#log);
  }

  #changed(change: Change): void {
    this.#installations.changed(change);
    if (this.#isLeading) this.#controllers.changed(change);
  }

  #sweep(): void {
    if (this.#isLeading) this.#controllers.sweep();
  }

  #view(): OperatorView {
    const obstacle = (): string | undefined => this.#source.obstacle ?? this.#manifests.obstacle;
    return {
      registry: this.#metrics.registry,
      readinessProblem: obstacle,
      livenessProblem: () => this.#source.staleness ?? this.#manifests.staleness,
      status: () => ({
        identity: this.#identity,
        isLeader: this.#elector.isLeader,
        waitsFor: obstacle(),
      }),
    };
  }

  /** A process that failed, or lost the Lease, writes nothing more. */
  async #end(status: number): Promise<void> {
    this.#stopHeartbeats();
    this.#manifests.stop();
    if (status !== 0) return;
    await this.#controllers.stop();
    await this.#source.stop();
    await this.#installations.close();
    await this.#elector.stop();
    await this.#connection.close();
  }
}
