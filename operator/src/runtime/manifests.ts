/** Objects of Kubernetes' own kinds that a controller keeps: Deployments, Services, Secrets. Absent where the source is a folder of files. */
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

/** Every method throws where the API server cannot be asked or refuses; what it refused is in the message. */
export interface Manifests {
  /** Server-side apply with `force` under this operator's field manager. Returns the object as it is then. */
  apply(manifest: Manifest): Promise<Manifest>;
  /** Returns false, and changes nothing, where an object of that name is there. */
  create(manifest: Manifest): Promise<boolean>;
  /** A live read; undefined only where the API server says that there is no such object. */
  read(type: ManifestType, key: ObjectKey): Promise<Manifest | undefined>;
  /** From the watch's cache; for the types that are watched (Deployment, Service, Pod): carries the label of our cluster. */
  list(type: ManifestType, namespace: string, labels: Readonly<Record<string, string>>): readonly Manifest[];
  /** Done where the object is gone already, or is another one than that uid. */
  remove(type: ManifestType, key: ObjectKey, uid: string): Promise<void>;
  /** Addresses of nodes and pods of this Kubernetes cluster as CIDRs, as far as Node objects tell; empty where they may not be read. */
  clusterRanges(): Promise<readonly string[]>;
}
