/**
 * Our objects as they are in Kubernetes. Deployments, Services and pods are watched, the others read when they are needed and believed
 * for a minute: so long a change by somebody else may stay unseen.
 */
import type { Clock, Ms } from "../runtime/clock.ts";
import type { Manifest, Manifests, ManifestType } from "../runtime/manifests.ts";
import { keyOf, type ObjectKey } from "../runtime/object.ts";
import { namesOf } from "./manifests/names.ts";
import type { SipCluster } from "./resource.ts";

const believedFor: Ms = 60_000;

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

  /** What is there under the names of a SipCluster's objects, by `Kind/name`; with it all Services and pods that carry its label. */
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
      // One that lost our label is invisible to the watch, and so is somebody else's.
      const object = watched ?? (await this.#look(type, keyOf(namespace, name)));
      if (object !== undefined) live.set(`${type.kind}/${name}`, object);
    }
    return { live, services, pods: listed(objectTypes.Pod) };
  }

  /** It may be another one now. */
  forget(kind: string, key: ObjectKey): void {
    this.#read.delete(idOf(kind, key));
  }

  /** As it was just written. */
  learn(object: Manifest): void {
    const { namespace, name } = object.metadata;
    this.#read.set(idOf(object.kind, keyOf(namespace, name)), { at: this.#clock.now(), object });
  }

  /** Forgets what was read for all other SipClusters: their manifests and keys are nobody's any more. */
  keepOnly(clusters: readonly SipCluster[]): void {
    const wanted = new Set(
      clusters.flatMap((cluster) =>
        typedNames(cluster).map(({ type, name }) =>
          idOf(type.kind, keyOf(cluster.reference.namespace, name)),
        ),
      ),
    );
    for (const id of this.#read.keys()) if (!wanted.has(id)) this.#read.delete(id);
  }

  async #look(type: ManifestType, key: ObjectKey): Promise<Manifest | undefined> {
    const id = idOf(type.kind, key);
    const known = this.#read.get(id);
    const isWatched = type.kind === "Deployment" || type.kind === "Service";
    if (!isWatched && known?.object !== undefined && this.#clock.now() - known.at < believedFor)
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
