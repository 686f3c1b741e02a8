/** The three kinds with their loops: who is told of a change, who starts and who stops. */
import type { Logger } from "pino";
import type { Installations } from "./installations.ts";
import { OutageVerdicts } from "./installations/outage-verdicts.ts";
import { systemClock } from "./runtime/clock.ts";
import { ControllerLoop, type Controller, type DeletedObject } from "./runtime/controller.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "./runtime/object.ts";
import type { Change, Source } from "./runtime/source.ts";
import { StatusWriter } from "./runtime/status-writer.ts";
import { SipClusterController, type SipClusterDependencies } from "./sip-cluster/controller.ts";
import { SipDomainController } from "./sip-domain/controller.ts";
import { SipUserController } from "./sip-user/controller.ts";
import { figureFields } from "./sip-user/plan-figures.ts";
import { RegistrationFigures } from "./sip-user/registrations.ts";
import { parseSipUser } from "./sip-user/resource.ts";
import { clusterOf } from "./sip-user/current-state.ts";
import { BindingCounts } from "./telemetry/binding-counts.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { observeController } from "./telemetry/observe-controller.ts";

export interface ControllersOptions {
  readonly source: Source;
  readonly installations: Installations;
  /** Absent where the source is a folder of files. */
  readonly fleet?: SipClusterDependencies["fleet"];
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Reconciles of one kind under way at the same time: each waits for the database most of its time. */
  readonly workers: number;
}

export interface Controllers {
  /** What changed goes to every controller; each knows what concerns it. */
  changed(change: Change): void;
  /** What has no object any more is looked for. */
  sweep(): void;
  /** A database that was away is back: that of this SipCluster; absent: the one that there is. */
  recovered(cluster?: ObjectKey): void;
  /** Whether it is known what is gone: the sweeps that were asked for have ended. */
  isSwept(): boolean;
  /** Objects that are gone and whose rows are not, or not yet, removed. */
  leaving(): readonly (DeletedObject & { readonly kind: string })[];
  start(): void;
  /** Resolves when the work under way has ended. */
  stop(): Promise<void>;
}

export function createControllers(options: ControllersOptions): Controllers {
  const { source, installations, fleet, metrics, log } = options;
  const status = new StatusWriter(
    source,
    systemClock,
    ({ kind, metadata: { namespace, name } }, verdict) => {
      const level = verdict.status === "True" ? "info" : "warn";
      log[level]({ kind, namespace, name, condition: verdict.type, reason: verdict.reason }, verdict.message);
    },
    figureFields,
  );
  const bindings = new BindingCounts(systemClock, metrics.bindings);
  const news = (key: ObjectKey): void => clusters.changed({ kind: "SipCluster", key, what: "object" });
  const parts = { installations, source, status, outages: new OutageVerdicts(systemClock) };
  const clusters = loop(
    new SipClusterController({
      ...parts,
      clock: systemClock,
      ...(fleet && { fleet }),
      onChange: news,
      bindings: (key) => bindings.get(key),
      onReplaced: (key, times) => metrics.databaseReplaced.labels(key).inc(times),
      onFailure: (cause) => log.warn({ err: cause }, "nodes were not asked whether they answer: tried again"),
    }),
    options,
  );
  const domains = loop(new SipDomainController(parts), options);
  const users = loop(new SipUserController(parts), options);
  const loops = [clusters, domains, users];
  const figures = new RegistrationFigures({
    installations,
    source,
    clock: systemClock,
    onCount: (cluster, counted) => bindings.learn(cluster, counted),
    onFailure: (cause) => log.debug({ err: cause }, "figures of registrations: tried again"),
  });
  return {
    changed: (change) => loops.forEach((each) => each.changed(change)),
    sweep: () => loops.forEach((each) => each.sweep()),
    recovered(cluster) {
      if (cluster === undefined) return loops.forEach((each) => each.recovered());
      const served = objectsOf(cluster, source);
      clusters.recovered([cluster]);
      domains.recovered(served.domains);
      users.recovered(served.users);
    },
    isSwept: () => loops.every((each) => each.isSwept),
    leaving: () => loops.flatMap((each) => each.leaving().map((one) => ({ kind: each.kind, ...one }))),
    start() {
      for (const each of loops) each.start();
      figures.start();
    },
    stop: async () => {
      figures.stop();
      await Promise.all(loops.map((each) => each.stop()));
    },
  };
}

/** What a SipCluster's database serves; and users whose domain is gone, for nobody knows where their rows are. */
export function objectsOf(
  cluster: ObjectKey,
  source: Pick<Source, "list">,
): { readonly domains: readonly ObjectKey[]; readonly users: readonly ObjectKey[] } {
  const clusterOfDomain = new Map(
    source.list("SipDomain").map((domain) => [keyOfObject(domain), clusterOf(domain)]),
  );
  return {
    domains: [...clusterOfDomain].flatMap(([domain, its]) => (its === cluster ? [domain] : [])),
    users: source
      .list("SipUser")
      .filter((user) => (clusterOfDomain.get(parseSipUser(user).domain) ?? cluster) === cluster)
      .map(keyOfObject),
  };
}

const keyOfObject = ({ metadata: { namespace, name } }: KubernetesObject): ObjectKey =>
  keyOf(namespace, name);

function loop(controller: Controller, { source, metrics, log, workers }: ControllersOptions): ControllerLoop {
  const observer = observeController(controller.kind, metrics, log, workers);
  return new ControllerLoop(controller, source, observer, {
    clock: systemClock,
    random: Math.random,
    seconds: () => performance.now() / 1000,
    workers,
  });
}
