/** The controllers of the three kinds, and the figures of registrations, as one unit that is started and stopped. */
import type { Logger } from "pino";
import type { Installations } from "./installations.ts";
import { OutageConditions } from "./installations/outage-conditions.ts";
import { clusterOfDomain } from "./references.ts";
import { systemClock } from "./runtime/clock.ts";
import type { NewCondition } from "./runtime/condition.ts";
import { ControllerLoop, type Controller, type DeletedObject } from "./runtime/controller.ts";
import { keyOfObject, type KubernetesObject, type ObjectKey } from "./runtime/object.ts";
import type { Change, Source } from "./runtime/source.ts";
import { StatusWriter } from "./runtime/status-writer.ts";
import { SipClusterController, type SipClusterDependencies } from "./sip-cluster/controller.ts";
import { SipDomainController } from "./sip-domain/controller.ts";
import { SipUserController } from "./sip-user/controller.ts";
import { figureFields } from "./sip-user/plan-figures.ts";
import { RegistrationFigures } from "./sip-user/registrations.ts";
import { parseSipUser } from "./sip-user/resource.ts";
import { BindingCounts } from "./telemetry/binding-counts.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { observeController } from "./telemetry/observe-controller.ts";

export interface ControllersDependencies {
  readonly source: Source;
  readonly installations: Installations;
  /** Absent where the source is a folder of files. */
  readonly fleet?: SipClusterDependencies["fleet"];
  readonly metrics: Metrics;
  readonly log: Logger;
  /** How many reconciles of one kind run at the same time. Each waits for the database most of its time. */
  readonly workers: number;
}

export interface Controllers {
  /** Each controller decides whether a change concerns it. */
  changed(change: Change): void;
  /** Looks for rows whose object is gone. */
  sweep(): void;
  /** The database of this SipCluster can be reached again; without a SipCluster: the only database. */
  recovered(cluster?: ObjectKey): void;
  /** Whether all requested sweeps have ended. Before that it is not known which objects are gone. */
  isSwept(): boolean;
  /** Objects that are gone and still have rows. */
  leaving(): readonly (DeletedObject & { readonly kind: string })[];
  start(): void;
  /** Resolves when the running reconciles have ended. */
  stop(): Promise<void>;
}

export function createControllers(deps: ControllersDependencies): Controllers {
  const bindings = new BindingCounts(systemClock, deps.metrics.bindings);
  const loops = createLoops(deps, bindings);
  const figures = createFigures(deps, bindings);
  const all = [loops.clusters, loops.domains, loops.users];
  return {
    changed: (change) => all.forEach((loop) => loop.changed(change)),
    sweep: () => all.forEach((loop) => loop.sweep()),
    recovered: (cluster) => recover(loops, cluster, deps.source),
    isSwept: () => all.every((loop) => loop.isSwept),
    leaving: () => all.flatMap((loop) => loop.leaving().map((one) => ({ kind: loop.kind, ...one }))),
    start() {
      for (const loop of all) loop.start();
      figures.start();
    },
    async stop() {
      figures.stop();
      await Promise.all(all.map((loop) => loop.stop()));
    },
  };
}

interface Loops {
  readonly clusters: ControllerLoop;
  readonly domains: ControllerLoop;
  readonly users: ControllerLoop;
}

function createLoops(deps: ControllersDependencies, bindings: BindingCounts): Loops {
  const { installations, source, fleet, metrics, log } = deps;
  const status = new StatusWriter(source, systemClock, logCondition(log), figureFields);
  const shared = { installations, source, status, outages: new OutageConditions(systemClock) };
  const clusters: ControllerLoop = createLoop(
    new SipClusterController({
      ...shared,
      clock: systemClock,
      ...(fleet && { fleet }),
      onChange: (key) => clusters.changed({ kind: "SipCluster", key, what: "object" }),
      bindings: (key) => bindings.get(key),
      onReplaced: (key, times) => metrics.databaseReplaced.labels(key).inc(times),
      onFailure: (cause) => log.warn({ err: cause }, "the nodes could not be probed; tried again"),
    }),
    deps,
  );
  return {
    clusters,
    domains: createLoop(new SipDomainController(shared), deps),
    users: createLoop(new SipUserController(shared), deps),
  };
}

function createLoop(
  controller: Controller,
  { source, metrics, log, workers }: ControllersDependencies,
): ControllerLoop {
  const observer = observeController(controller.kind, metrics, log, workers);
  return new ControllerLoop(controller, source, observer, {
    clock: systemClock,
    random: Math.random,
    seconds: () => performance.now() / 1000,
    workers,
  });
}

const createFigures = (
  { installations, source, log }: ControllersDependencies,
  bindings: BindingCounts,
): RegistrationFigures =>
  new RegistrationFigures({
    installations,
    source,
    clock: systemClock,
    onCount: (cluster, counted) => bindings.set(cluster, counted),
    onFailure: (cause) => log.debug({ err: cause }, "the registrations could not be counted; tried again"),
  });

const logCondition =
  (log: Logger) =>
  ({ kind, metadata: { namespace, name } }: KubernetesObject, condition: NewCondition): void => {
    const { type, status, reason, message } = condition;
    log[status === "True" ? "info" : "warn"]({ kind, namespace, name, condition: type, reason }, message);
  };

function recover({ clusters, domains, users }: Loops, cluster: ObjectKey | undefined, source: Source): void {
  const served = cluster === undefined ? undefined : objectsOf(cluster, source);
  clusters.recovered(cluster && [cluster]);
  domains.recovered(served?.domains);
  users.recovered(served?.users);
}

/** The objects that a SipCluster's database serves, and the users whose domain is gone: their rows may be in any database. */
export function objectsOf(
  cluster: ObjectKey,
  source: Pick<Source, "list">,
): { readonly domains: readonly ObjectKey[]; readonly users: readonly ObjectKey[] } {
  const clusters = new Map(
    source.list("SipDomain").map((domain) => [keyOfObject(domain), clusterOfDomain(domain)]),
  );
  return {
    domains: [...clusters].flatMap(([domain, its]) => (its === cluster ? [domain] : [])),
    users: source
      .list("SipUser")
      .filter((user) => (clusters.get(parseSipUser(user).domain) ?? cluster) === cluster)
      .map(keyOfObject),
  };
}
