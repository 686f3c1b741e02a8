/** Reconciles SipClusters: parse, read the world, decide, apply, say how it is. */
import { ApiRefused, ApiUnreachable, isUnacceptable } from "../adapters/kube/api-error.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { verdictOfFailure } from "../adapters/mysql/verdict-of-failure.ts";
import type { Installations } from "../installations.ts";
import { askEach, removeFromEach } from "../installations/ask-each.ts";
import { failureOf } from "../adapters/mysql/failure.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Controller, Finalized, Owned } from "../runtime/controller.ts";
import { notReady } from "../runtime/decision.ts";
import { keyOf, splitKey, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import { reconcileObject, type Plan } from "../runtime/reconcile-object.ts";
import type { Outcome } from "../runtime/reconcile-loop.ts";
import type { Change, Source } from "../runtime/source.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { apply } from "./apply.ts";
import { decide, decideRemoval, type ClusterAction } from "./decide.ts";
import { databaseReplaced } from "./assess-database.ts";
import { LiveObjects } from "./live-objects.ts";
import {
  probeTargets,
  readCurrentState,
  type Fleet,
  type ClusterDependencies,
} from "./read-current-state.ts";
import { parseSipCluster, type HostPort, type SipCluster } from "./resource.ts";
import { NodeMonitor } from "./node-monitor.ts";
import type { FleetState } from "./current-state.ts";

/** A deletion waits so long for a database that is away (design: ownership, rule 6). */
const patience: Ms = 30_000;
const recheck: Ms = 5_000;

export interface SipClusterControllerOptions {
  readonly installations: Installations;
  readonly source: Source;
  readonly status: StatusWriter;
  readonly clock: Clock;
  /** Absent where the source is a folder of files. */
  readonly fleet?: Fleet;
  /** Reconcile this one soon, although no object changed. */
  readonly onNews?: (key: ObjectKey) => void;
  /** How often a SipCluster's database was found to be another one, since this was last called for it; mostly 0. */
  readonly onReplaced?: (key: ObjectKey, times: number) => void;
  /** A round in the background that failed, and is tried again. */
  readonly onFailure: (cause: unknown) => void;
  /** Current bindings in a SipCluster's database; undefined: not counted lately. Absent: nobody counts. */
  readonly bindings?: (key: ObjectKey) => number | undefined;
}

export class SipClusterController implements Controller {
  readonly kind = "SipCluster";
  readonly #around: ClusterDependencies;
  readonly #status: StatusWriter;
  readonly #onNews: (key: ObjectKey) => void;
  readonly #onFailure: (cause: unknown) => void;
  readonly #onReplaced: (key: ObjectKey, times: number) => void;
  readonly #watches = new Map<string, NodeMonitor>();

  constructor(options: SipClusterControllerOptions) {
    const { installations, source, status, clock, fleet, onNews, bindings, onFailure, onReplaced } = options;
    const live = fleet && { ...fleet, live: new LiveObjects(fleet.manifests, clock) };
    this.#around = { installations, source, clock, bindings: bindings ?? (() => undefined), fleet: live };
    this.#status = status;
    this.#onNews = onNews ?? (() => undefined);
    this.#onFailure = onFailure;
    this.#onReplaced = onReplaced ?? (() => undefined);
  }

  reconcile(object: KubernetesObject): Promise<Outcome> {
    const { source } = this.#around;
    const frame = { source, status: this.#status, conditionOf };
    return reconcileObject(object, frame, () => this.#plan(object, parseSipCluster(object)));
  }

  async #plan(object: KubernetesObject, cluster: SipCluster): Promise<Plan> {
    const watch = this.#watchOf(cluster.uid);
    const { world, installation } = await readCurrentState(object, cluster, this.#around, watch);
    const { actions, others, status, ...decision } = decide(cluster, world);
    return {
      ...decision,
      // Whatever is put right here is no row of anybody.
      actions: [],
      status: { ...status },
      apply: async () => {
        this.#countReplaced(cluster, actions);
        await apply(actions, { object, cluster, installation }, this.#around);
        await this.#status.write(object, others);
        const [address] = status.addresses ?? [];
        if (world.fleet !== undefined) this.#probe(watch, cluster, world.fleet, address);
      },
    };
  }

  #countReplaced({ reference: { namespace, name } }: SipCluster, actions: readonly ClusterAction[]): void {
    const told = actions.filter((action) => action.do === "tell" && action.event.reason === databaseReplaced);
    this.#onReplaced(keyOf(namespace, name), told.length);
  }

  #probe(watch: NodeMonitor, cluster: SipCluster, fleet: FleetState, address: HostPort | undefined): void {
    const { namespace, name } = cluster.reference;
    watch.probe(probeTargets(cluster, fleet), address, () => this.#onNews(keyOf(namespace, name)));
  }

  #watchOf(uid: string): NodeMonitor {
    const known = this.#watches.get(uid) ?? new NodeMonitor(this.#around.clock, this.#onFailure);
    this.#watches.set(uid, known);
    return known;
  }

  /** Its objects go with it; its database is let go, as long as it can be asked: later the sweep does it. */
  async finalize(object: KubernetesObject, waited: Ms): Promise<Finalized> {
    const { reference, uid } = parseSipCluster(object);
    const key = keyOf(reference.namespace, reference.name);
    this.#watches.delete(uid);
    try {
      const installation = await this.#around.installations.of(key);
      if (installation !== undefined) await this.#letGo(key, installation, uid);
      return { isDone: true };
    } catch (error) {
      if (failureOf(error) === undefined) throw error;
      if (waited < patience) return { isDone: false, requeueAfter: recheck };
      const message = `its database is let go later, for it cannot be asked now: ${String(error)}`;
      this.#around.source.event(object, { type: "Warning", reason: "DatabaseUnavailable", message });
      return { isDone: true };
    }
  }

  remove(key: ObjectKey): Promise<void> {
    return removeFromEach(this.#around.installations.open(), (installation) =>
      this.#letGo(key, installation),
    );
  }

  /** Whether it was this SipCluster's. */
  async #letGo(key: ObjectKey, installation: Installation, uid?: string): Promise<boolean> {
    const holder = await clusterOfDatabase(installation.database);
    if (holder === undefined || keyOf(holder.namespace, holder.name) !== key) return false;
    if (uid !== undefined && holder.uid !== uid) return false;
    const { namespace, name } = splitKey(key);
    const cluster = { reference: { kind: this.kind, namespace, name }, uid: holder.uid } as SipCluster;
    const object = {
      kind: this.kind,
      metadata: { namespace, name, uid: holder.uid, generation: 0 },
      spec: {},
    };
    await apply(decideRemoval(), { object, cluster, installation }, this.#around);
    return true;
  }

  async owned(): Promise<Owned> {
    this.#forgetGone();
    const { installations } = this.#around;
    const asked = await askEach(installations.open(), ({ database }) => clusterOfDatabase(database));
    const keys = asked.answers.flatMap((holder) =>
      holder === undefined ? [] : [keyOf(holder.namespace, holder.name)],
    );
    const isComplete = asked.failures.length === 0 && installations.unreachable().length === 0;
    return { keys: [...new Set(keys)], isComplete, failures: asked.failures };
  }

  /** What was kept in memory of SipClusters that are gone, whether or not a finalizer held them back. */
  #forgetGone(): void {
    const clusters = this.#around.source.list(this.kind).map(parseSipCluster);
    const uids = new Set(clusters.map(({ uid }) => uid));
    for (const uid of this.#watches.keys()) if (!uids.has(uid)) this.#watches.delete(uid);
    this.#around.fleet?.live.keepOnly(clusters);
  }

  /** What is called after it, and the Secrets that it names. */
  dependentsOf({ kind, key }: Change): readonly ObjectKey[] {
    if (!childKinds.has(kind)) return [];
    this.#around.fleet?.live.forget(kind, key);
    const { namespace, name } = splitKey(key);
    return this.#around.source
      .list(this.kind)
      .filter(({ metadata }) => metadata.namespace === namespace)
      .filter((object) => isChildOf(name, object) || (kind === "Secret" && namesSecret(name, object)))
      .map(({ metadata }) => keyOf(metadata.namespace, metadata.name));
  }
}

const childKinds = new Set(["Deployment", "Service", "Pod", "EndpointSlice", "ConfigMap", "Secret"]);

const isChildOf = (name: string, { metadata }: KubernetesObject): boolean =>
  name === metadata.name || name.startsWith(`${metadata.name}-`);

function namesSecret(name: string, object: KubernetesObject): boolean {
  const { mysql } = parseSipCluster(object);
  return mysql?.credentialsSecret === name || mysql?.tls?.ca?.secret === name;
}

/** What Kubernetes refuses was in the spec, as a rule. That it cannot be asked, or is written by others now, says nothing of the object. */
function conditionOf(error: unknown): NewCondition | undefined {
  if (error instanceof ApiUnreachable) return undefined;
  if (!(error instanceof ApiRefused)) return verdictOfFailure(error);
  return isUnacceptable(error) ? notReady("Refused", `Kubernetes refused: ${error.message}`) : undefined;
}
