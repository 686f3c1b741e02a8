/** Where objects come from: a folder of files, or the API server. A kind's controller sees this interface only. */
import type { KubernetesObject, ObjectKey } from "./object.ts";
import type { Reason } from "./reason.ts";

export interface Secret {
  /** Decoded values. */
  readonly data: Readonly<Record<string, string>>;
  /** The uid of the object for which this Secret was generated; absent: somebody wrote it. */
  readonly generatedFor?: string;
  /** Changes with every change of it; absent where the source numbers none. */
  readonly resourceVersion?: string;
  /** False: no watch tells of its changes. */
  readonly isWatched?: boolean;
}

/** Something happened to an object or Secret; what it is now is asked by `get` and `secret`. */
export interface Change {
  /** A kind of ours, or `Secret`. */
  readonly kind: string;
  readonly key: ObjectKey;
  /** `status`: nothing but a status that we wrote has changed. */
  readonly what: "object" | "status";
}

/** What a live read says of an object; `unknown` proves nothing. */
export type Presence =
  | { readonly is: "present"; readonly uid: string }
  | { readonly is: "absent" }
  | { readonly is: "unknown"; readonly why: string };

export interface Event {
  readonly type: "Normal" | "Warning";
  /** One word for a program. */
  readonly reason: Reason;
  /** What happened, and what to check. */
  readonly message: string;
}

export interface Source {
  get(kind: string, key: ObjectKey): KubernetesObject | undefined;
  list(kind: string): readonly KubernetesObject[];
  /** By a live read, past every cache. Absent only on proof: an object that merely could not be read is unknown. Never throws. */
  presence(kind: string, key: ObjectKey): Promise<Presence>;
  /** Undefined where there is no such namespace, or where it may not be read. */
  namespaceLabels(namespace: string): Promise<Readonly<Record<string, string>> | undefined>;
  secret(key: ObjectKey): Promise<Secret | undefined>;
  /** The resourceVersion of a Secret as far as a watch has told it; undefined: nobody watches it, or the source numbers none. */
  secretVersion(key: ObjectKey): string | undefined;
  /** Creates a Secret for the object of that uid. One that exists is left as it is. */
  createSecret(key: ObjectKey, data: Readonly<Record<string, string>>, generatedFor: string): Promise<void>;
  /** Removes the Secret if it was generated for that uid. */
  removeSecret(key: ObjectKey, generatedFor: string): Promise<void>;
  /** `writer` names who writes: each owns the fields that it wrote last time, and no others. */
  writeStatus(
    kind: string,
    key: ObjectKey,
    status: unknown,
    writer: "status" | "registrations",
  ): Promise<void>;
  /** Holds the object back while it is being deleted, or lets it go. Changes nothing where that is so already. */
  setFinalizer(kind: string, key: ObjectKey, isHeld: boolean): Promise<void>;
  /** Told to people; never throws and is not waited for. */
  event(object: KubernetesObject, event: Event): void;
}
