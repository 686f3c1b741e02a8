/** Reconciles SipClusters: parse, read the current state, decide, apply, write the status. */
import { ApiRefused, ApiUnreachable, isUnacceptable } from "../adapters/kube/api-error.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { failureCondition } from "../adapters/mysql/failure-condition.ts";
import type { Installations } from "../installations.ts";
import { askEach, removeFromEach } from "../installations/ask-each.ts";
import { failureOf } from "../adapters/mysql/failure.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Controller, Finalized, Owned } from "../runtime/controller.ts";
import { notReady } from "../runtime/decision.ts";
import { keyOf, keyOfObject, type KubernetesObject, type ObjectKey, splitKey } from "../runtime/object.ts";
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

/** A deletion waits for an unreachable database for this time (design-kubernetes rule 6). */
const releaseTimeout: Ms = 30_000;
const recheck: Ms = 5_000;

export interface SipClusterDependencies {
  readonly installations: Installations;
  readonly source: Source;
  readonly status: StatusWriter;
  readonly clock: Clock;
  /** Absent where the source is a folder of files. */
  readonly fleet?: Fleet;
  /** Requests a reconcile of this SipCluster although no object changed. */
  readonly onChange?: (key: ObjectKey) => void;
  /** How often the database of a SipCluster was found replaced since the last call; mostly 0. */
  readonly onReplaced?: (key: ObjectKey, times: number) => void;
  /** A probe in the background failed. The next one follows automatically. */
  readonly onFailure: (cause: unknown) => void;
  /** The bindings in a SipCluster's database; undefined: no recent count. Absent: they are not counted. */
  readonly bindings?: (key: ObjectKey) => number | undefined;
}

export class SipClusterController implements Controller {
  readonly kind = "SipCluster";
  readonly #deps: ClusterDependencies;
  readonly #status: StatusWriter;
  readonly #onChange: (key: ObjectKey) => void;
  readonly #onFailure: (cause: unknown) => void;
  readonly #onReplaced: (key: ObjectKey, times: number) => void;
  readonly #monitors = new Map<string, NodeMonitor>();

  constructor(deps: SipClusterDependencies) {
    const { installations, source, status, clock, fleet, onChange, bindings, onFailure, onReplaced } = deps;
    const live = fleet && { ...fleet, live: new LiveObjects(fleet.manifests, clock) };
    this.#deps = { installations, source, clock, bindings: bindings ?? (() => undefined), fleet: live };
    this.#status = status;
    this.#onChange = onChange ?? (() => undefined);
    this.#onFailure = onFailure;
    this.#onReplaced = onReplaced ?? (() => undefined);
  }

  reconcile(object: KubernetesObject): Promise<Outcome> {
    const deps = { source: this.#deps.source, status: this.#status, conditionOf };
    return reconcileObject(object, deps, () => this.#plan(object, parseSipCluster(object)));
  }

  async #plan(object: KubernetesObject, cluster: SipCluster): Promise<Plan> {
    const monitor = this.#monitorOf(cluster.uid);
    const { state, installation } = await readCurrentState(object, cluster, this.#deps, monitor);
    const { actions, status, ...decision } = decide(cluster, state);
    return {
      ...decision,
      // They change no rows of domains or users, so they never count as a repair of rows.
      actions: [],
      status: { ...status },
      apply: async () => {
        this.#countReplaced(cluster, actions);
        await apply(actions, { object, cluster, installation }, this.#deps);
        const [address] = status.addresses ?? [];
        if (state.fleet !== undefined) this.#probe(monitor, cluster, state.fleet, address);
      },
    };
  }

  #countReplaced({ reference: { namespace, name } }: SipCluster, actions: readonly ClusterAction[]): void {
    const replaced = actions.filter(
      (action) => action.do === "recordEvent" && action.event.reason === databaseReplaced,
    );
    this.#onReplaced(keyOf(namespace, name), replaced.length);
  }

  #probe(monitor: NodeMonitor, cluster: SipCluster, fleet: FleetState, address: HostPort | undefined): void {
    const { namespace, name } = cluster.reference;
    monitor.probe(probeTargets(cluster, fleet), address, () => this.#onChange(keyOf(namespace, name)));
  }

  #monitorOf(uid: string): NodeMonitor {
    const known = this.#monitors.get(uid) ?? new NodeMonitor(this.#deps.clock, this.#onFailure);
    this.#monitors.set(uid, known);
    return known;
  }

  /**
   * Kubernetes deletes the cluster's objects by their owner reference. Its database is released here; where it stays unreachable, the sweep
   * releases it later.
   */
  async finalize(object: KubernetesObject, waited: Ms): Promise<Finalized> {
    const { reference, uid } = parseSipCluster(object);
    const key = keyOf(reference.namespace, reference.name);
    this.#monitors.delete(uid);
    try {
      const installation = await this.#deps.installations.of(key);
      if (installation !== undefined) await this.#release(key, installation, uid);
      return { isDone: true };
    } catch (error) {
      if (failureOf(error) === undefined) throw error;
      if (waited < releaseTimeout) return { isDone: false, requeueAfter: recheck };
      const message = `its database cannot be reached now, and is released later: ${String(error)}`;
      this.#deps.source.event(object, { type: "Warning", reason: "DatabaseUnavailable", message });
      return { isDone: true };
    }
  }

  remove(key: ObjectKey): Promise<void> {
    return removeFromEach(this.#deps.installations.open(), (installation) =>
      this.#release(key, installation),
    );
  }

  /** Returns whether the database belonged to this SipCluster. */
  async #release(key: ObjectKey, installation: Installation, uid?: string): Promise<boolean> {
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
    await apply(decideRemoval(), { object, cluster, installation }, this.#deps);
    return true;
  }

  async owned(): Promise<Owned> {
    this.#forgetDeleted();
    const { installations } = this.#deps;
    const answered = await askEach(installations.open(), ({ database }) => clusterOfDatabase(database));
    const keys = answered.answers.flatMap((holder) =>
      holder === undefined ? [] : [keyOf(holder.namespace, holder.name)],
    );
    const isComplete = answered.failures.length === 0 && installations.unreachable().length === 0;
    return { keys: [...new Set(keys)], isComplete, failures: answered.failures };
  }

  /** Frees the memory of deleted SipClusters, with or without a finalizer. */
  #forgetDeleted(): void {
    const clusters = this.#deps.source.list(this.kind).map(parseSipCluster);
    const uids = new Set(clusters.map(({ uid }) => uid));
    for (const uid of this.#monitors.keys()) if (!uids.has(uid)) this.#monitors.delete(uid);
    this.#deps.fleet?.live.retainOnly(clusters);
  }

  /** Objects that are named after a SipCluster, and the Secrets that it references. */
  dependentsOf({ kind, key }: Change): readonly ObjectKey[] {
    if (!childKinds.has(kind)) return [];
    this.#deps.fleet?.live.forget(kind, key);
    const { namespace, name } = splitKey(key);
    return this.#deps.source
      .list(this.kind)
      .filter(({ metadata }) => metadata.namespace === namespace)
      .filter((object) => isChildOf(name, object) || (kind === "Secret" && namesSecret(name, object)))
      .map(keyOfObject);
  }
}

const childKinds = new Set(["Deployment", "Service", "Pod", "EndpointSlice", "ConfigMap", "Secret"]);

const isChildOf = (name: string, { metadata }: KubernetesObject): boolean =>
  name === metadata.name || name.startsWith(`${metadata.name}-`);

function namesSecret(name: string, object: KubernetesObject): boolean {
  const { mysql } = parseSipCluster(object);
  return mysql?.credentialsSecret === name || mysql?.tls?.ca?.secret === name;
}

/**
 * Kubernetes usually refuses a write because of the spec. An unreachable API server, or a conflict with another writer, is no fault of the
 * object.
 */
function conditionOf(error: unknown): NewCondition | undefined {
  if (error instanceof ApiUnreachable) return undefined;
  if (!(error instanceof ApiRefused)) return failureCondition(error);
  return isUnacceptable(error) ? notReady("Refused", `Kubernetes refused: ${error.message}`) : undefined;
}
