/** Access to objects of Kubernetes' own kinds that a controller manages: Deployments, Services, Secrets. Absent where the source is a folder of files. */
import type { ObjectKey } from "./object.ts";

export interface ManifestType {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
}

export interface Manifest extends ManifestType {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

export interface OwnerReference extends ManifestType {
  readonly name: string;
  readonly uid: string;
  readonly controller: true;
  readonly blockOwnerDeletion: boolean;
}

/** Every method throws if the API server is unreachable or refuses. The message says what it refused. */
export interface Manifests {
  /** Server-side apply with `force` and this operator's field manager. Returns the resulting object. */
  apply(manifest: Manifest): Promise<Manifest>;
  /** Returns false, and changes nothing, if an object of that name exists. */
  create(manifest: Manifest): Promise<boolean>;
  /** A live read. Undefined only if the API server answers that the object does not exist. */
  read(type: ManifestType, key: ObjectKey): Promise<Manifest | undefined>;
  /** From the cache of a watch, which has the objects with the label of our cluster. For watched types only: Deployment, Service, Pod. */
  list(type: ManifestType, namespace: string, labels: Readonly<Record<string, string>>): readonly Manifest[];
  /** Does nothing if the object is gone, or has another uid. */
  remove(type: ManifestType, key: ObjectKey, uid: string): Promise<void>;
  /** CIDRs of nodes and pods of this Kubernetes cluster, from Node objects; empty if these may not be read. */
  clusterRanges(): Promise<readonly string[]>;
}
