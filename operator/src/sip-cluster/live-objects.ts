/**
 * The objects of a SipCluster as they are in Kubernetes. Deployments, Services and pods are watched. The others are read when needed and
 * cached for one minute, so a change by another writer may stay unnoticed for that time.
 */
import type { Clock, Ms } from "../runtime/clock.ts";
import type { Manifest, Manifests, ManifestType } from "../runtime/manifests.ts";
import { keyOf, type ObjectKey } from "../runtime/object.ts";
import { namesOf } from "./manifests/names.ts";
import type { SipCluster } from "./resource.ts";

const cachedFor: Ms = 60_000;

export const objectTypes = {
  ServiceAccount: { apiVersion: "v1", kind: "ServiceAccount" },
  ConfigMap: { apiVersion: "v1", kind: "ConfigMap" },
  Secret: { apiVersion: "v1", kind: "Secret" },
  Service: { apiVersion: "v1", kind: "Service" },
  Pod: { apiVersion: "v1", kind: "Pod" },
  Deployment: { apiVersion: "apps/v1", kind: "Deployment" },
  PodDisruptionBudget: { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  NetworkPolicy: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
} as const satisfies Readonly<Record<string, ManifestType>>;

export class LiveObjects {
  readonly #manifests: Manifests;
  readonly #clock: Clock;
  readonly #read = new Map<string, { readonly at: number; readonly object: Manifest | undefined }>();

  constructor(manifests: Manifests, clock: Clock) {
    this.#manifests = manifests;
    this.#clock = clock;
  }

  /** The objects with the names of a SipCluster's objects, by `Kind/name`, and all Services and pods with its label. */
  async of(cluster: SipCluster): Promise<{
    readonly live: ReadonlyMap<string, Manifest>;
    readonly services: readonly Manifest[];
    readonly pods: readonly Manifest[];
  }> {
    const { namespace, name } = cluster.reference;
    const listed = (type: ManifestType): readonly Manifest[] =>
      this.#manifests.list(type, namespace, { "sip.strowger.dev/cluster": name });
    const services = listed(objectTypes.Service);
    const deployments = listed(objectTypes.Deployment);
    const live = new Map<string, Manifest>();
    for (const { type, name } of typedNames(cluster)) {
      const watched = [...services, ...deployments].find(
        (object) => object.kind === type.kind && object.metadata.name === name,
      );
      // The watch does not show an object without our label: one that lost it, or one of another owner.
      const object = watched ?? (await this.#readLive(type, keyOf(namespace, name)));
      if (object !== undefined) live.set(`${type.kind}/${name}`, object);
    }
    return { live, services, pods: listed(objectTypes.Pod) };
  }

  /** Drops the cached object: it may have changed. */
  forget(kind: string, key: ObjectKey): void {
    this.#read.delete(idOf(kind, key));
  }

  /** Caches the object from the answer to a write. */
  learn(object: Manifest): void {
    const { namespace, name } = object.metadata;
    this.#read.set(idOf(object.kind, keyOf(namespace, name)), { at: this.#clock.now(), object });
  }

  /** Drops the cached objects, keys among them, of all SipClusters that are not listed. */
  retainOnly(clusters: readonly SipCluster[]): void {
    const wanted = new Set(
      clusters.flatMap((cluster) =>
        typedNames(cluster).map(({ type, name }) =>
          idOf(type.kind, keyOf(cluster.reference.namespace, name)),
        ),
      ),
    );
    for (const id of this.#read.keys()) if (!wanted.has(id)) this.#read.delete(id);
  }

  async #readLive(type: ManifestType, key: ObjectKey): Promise<Manifest | undefined> {
    const id = idOf(type.kind, key);
    const known = this.#read.get(id);
    const isWatched = type.kind === "Deployment" || type.kind === "Service";
    if (!isWatched && known?.object !== undefined && this.#clock.now() - known.at < cachedFor)
      return known.object;
    const object = await this.#manifests.read(type, key);
    if (object === undefined) this.#read.delete(id);
    else this.#read.set(id, { at: this.#clock.now(), object });
    return object;
  }
}

const idOf = (kind: string, key: ObjectKey): string => `${kind} ${key}`;

function typedNames(cluster: SipCluster): readonly { readonly type: ManifestType; readonly name: string }[] {
  const { nodes, keys, metrics, service } = namesOf(cluster);
  const { ServiceAccount, ConfigMap, Secret, Service, Deployment, PodDisruptionBudget, NetworkPolicy } =
    objectTypes;
  return [
    { type: ServiceAccount, name: nodes },
    { type: Service, name: service },
    { type: Service, name: metrics },
    { type: PodDisruptionBudget, name: nodes },
    { type: NetworkPolicy, name: nodes },
    { type: Secret, name: keys },
    { type: ConfigMap, name: nodes },
    { type: Deployment, name: nodes },
  ];
}
