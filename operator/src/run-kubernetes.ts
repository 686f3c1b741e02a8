/**
 * The operator in Kubernetes. Every replica holds what the API server holds, serves probes and metrics, and stands for election; only the
 * leader opens databases and runs the controllers. Who loses the lease ends at once, without another write.
 */
import { randomUUID } from "node:crypto";
import { observeClient, observeElector, observeSource } from "./telemetry/observe-kube.ts";
import { KubeClient } from "./adapters/kube/kube-client.ts";
import { KubeConnection } from "./adapters/kube/kube-connection.ts";
import { leaseStore } from "./adapters/kube/lease-store.ts";
import type { Config, KubernetesConfig } from "./config.ts";
import { createControllers } from "./controllers.ts";
import { beatEvery } from "./installations.ts";
import { ClusterInstallations } from "./installations/cluster-installations.ts";
import { createLog, logOpening, serve, stopOnce } from "./process-edge.ts";
import { monotonicClock, systemClock } from "./runtime/clock.ts";
import { LeaderElector } from "./runtime/leader-elector.ts";
import { repeat } from "./runtime/repeat.ts";
import type { Change } from "./runtime/source.ts";
import { KubernetesManifests } from "./sources/kubernetes/kubernetes-manifests.ts";
import { KubernetesSource } from "./sources/kubernetes/kubernetes-source.ts";
import { createMetrics } from "./telemetry/metrics.ts";

/**
 * A request about the lease has this long. A connection that died in silence is given up after it, so that the next request, on a new one,
 * still renews in time.
 */
const leaseTimeout = 3_000;
/** Work under way, Events and the lease have this long; a pod's grace period is 30 s. */
const patience = 20_000;

export async function runKubernetes(config: Config, kubernetes: KubernetesConfig): Promise<void> {
  const log = createLog(config.logLevel);
  const metrics = createMetrics();
  const connection = KubeConnection.open();
  const observer = observeClient(metrics);
  const identity = `${kubernetes.pod}_${randomUUID()}`;

  const elector: LeaderElector = new LeaderElector(
    leaseStore(
      new KubeClient(connection, { observer, requestTimeoutMs: leaseTimeout }),
      kubernetes.podNamespace,
      kubernetes.lease,
    ),
    observeElector(kubernetes.lease, metrics, log, {
      elected: () => lead(),
      lost: (why) => stop(1, `no longer the leader: ${why}`),
    }),
    { identity, clock: monotonicClock, wallTime: () => systemClock.now(), random: Math.random },
  );
  const client = new KubeClient(connection, { observer, mayWrite: () => elector.isLeader });
  const watching = {
    client,
    clock: systemClock,
    random: Math.random,
    observer: observeSource(metrics, log),
    ...(kubernetes.namespaces.length === 0 ? {} : { namespaces: kubernetes.namespaces }),
  };
  const source = new KubernetesSource(watching);
  const manifests = new KubernetesManifests(watching);
  const installations = new ClusterInstallations(source, {
    name: identity,
    clock: systemClock,
    onOpen: (cluster, report) => {
      logOpening(log, report, { cluster });
      controllers.sweep(); // the one at the start found no database to sweep
    },
    onBack: (cluster) => controllers.recovered(cluster),
    isLeader: () => elector.isLeader,
    onLost: ({ message }) => stop(1, message),
  });
  const { nodeImage, nodePull, clusterRanges, metricsFrom } = kubernetes;
  const fleet = { manifests, nodeImage, nodePull, clusterRanges, metricsFrom };
  const controllers = createControllers({
    source,
    installations,
    fleet,
    metrics,
    log,
    workers: config.workers,
  });

  let isLeading = false;
  metrics.objects.watch((kind) => (isLeading ? source.list(kind) : []));
  let stopBeating = (): void => undefined;
  const lead = (): void => {
    isLeading = true;
    controllers.start();
    stopBeating = repeat(
      systemClock,
      beatEvery,
      () => installations.beat(),
      (cause) => log.error({ err: cause }, "a round of the databases' beats failed"),
    );
  };
  const changed = (change: Change): void => {
    installations.changed(change);
    if (isLeading) controllers.changed(change);
  };
  const stop = stopOnce(log, patience, async (status) => {
    stopBeating();
    manifests.stop();
    if (status !== 0) return;
    await controllers.stop();
    await source.stop();
    await installations.close();
    await elector.stop();
    await connection.close();
  });

  const view = {
    registry: metrics.registry,
    notReadyYet: () => source.obstacle ?? manifests.obstacle,
    sickness: () => source.staleness ?? manifests.staleness,
    status: () => ({ identity, isLeader: elector.isLeader, waitsFor: source.obstacle ?? manifests.obstacle }),
  };
  if (!(await serve(config.http, view, log, stop))) return;

  const settled = (): void => {
    if (isLeading) controllers.sweep();
  };
  await Promise.all([source.start({ changed, settled }), manifests.start({ changed })]);
  elector.start();
}
