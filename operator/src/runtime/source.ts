/** Where objects come from: a folder of files, or the API server. A kind's controller sees this interface only. */
import type { KubernetesObject, ObjectKey } from "./object.ts";

export interface Secret {
  /** Decoded values. */
  readonly data: Readonly<Record<string, string>>;
  /** The uid of the object for which this Secret was generated; absent: somebody wrote it. */
  readonly generatedFor?: string;
}

/** Something happened to an object or Secret; what it is now is asked by `get` and `secret`. */
export interface Change {
  /** A kind of ours, or `Secret`. */
  readonly kind: string;
  readonly key: ObjectKey;
  /** `status`: nothing but a status that we wrote has changed. */
  readonly what: "object" | "status";
}

export interface Source {
  get(kind: string, key: ObjectKey): KubernetesObject | undefined;
  list(kind: string): readonly KubernetesObject[];
  /** True only on proof: an object that merely could not be read is not absent. */
  isAbsent(kind: string, key: ObjectKey): Promise<boolean>;
  secret(key: ObjectKey): Promise<Secret | undefined>;
  /** Creates a Secret for the object of that uid. One that exists is left as it is. */
  createSecret(key: ObjectKey, data: Readonly<Record<string, string>>, generatedFor: string): Promise<void>;
  /** Removes the Secret if it was generated for that uid. */
  removeSecret(key: ObjectKey, generatedFor: string): Promise<void>;
  writeStatus(kind: string, key: ObjectKey, status: unknown): Promise<void>;
}
