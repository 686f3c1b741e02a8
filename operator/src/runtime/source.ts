/** The source of objects: a folder of files, or the API server. A kind's controller uses this interface only. */
import type { KubernetesObject, ObjectKey } from "./object.ts";
import type { Reason } from "./reason.ts";

export interface Secret {
  /** Decoded values. */
  readonly data: Readonly<Record<string, string>>;
  /** The uid of the object for which this Secret was generated; absent: it was not generated. */
  readonly generatedFor?: string;
  /** Changes with every change of the Secret; absent: the source has no versions. */
  readonly resourceVersion?: string;
  /** False: no watch reports its changes. */
  readonly isWatched?: boolean;
}

/** An object or Secret changed. Read its present state with `get` or `secret`. */
export interface Change {
  /** One of our kinds, or `Secret`. */
  readonly kind: string;
  readonly key: ObjectKey;
  /** `status`: only a status that we wrote has changed. */
  readonly what: "object" | "status";
}

/** The result of a live read of an object; `unknown` proves nothing. */
export type Existence =
  | { readonly is: "present"; readonly uid: string }
  | { readonly is: "absent" }
  | { readonly is: "unknown"; readonly why: string };

export interface Event {
  readonly type: "Normal" | "Warning";
  /** One word, for programs. */
  readonly reason: Reason;
  /** What happened, and what to check. */
  readonly message: string;
}

export interface Source {
  get(kind: string, key: ObjectKey): KubernetesObject | undefined;
  list(kind: string): readonly KubernetesObject[];
  /** A live read, without any cache. Absent only with proof: an object that could not be read is unknown. Never throws. */
  existence(kind: string, key: ObjectKey): Promise<Existence>;
  /** Undefined: the namespace does not exist, or may not be read. */
  namespaceLabels(namespace: string): Promise<Readonly<Record<string, string>> | undefined>;
  secret(key: ObjectKey): Promise<Secret | undefined>;
  /** The resourceVersion of a Secret by a watch; undefined: it is not watched, or the source has no versions. */
  secretVersion(key: ObjectKey): string | undefined;
  /** Creates a Secret for the object with that uid. An existing Secret stays as it is. Returns the created or existing Secret. */
  createSecret(
    key: ObjectKey,
    data: Readonly<Record<string, string>>,
    generatedFor: string,
  ): Promise<Secret | undefined>;
  /** Removes the Secret if it was generated for the object with that uid. */
  removeSecret(key: ObjectKey, generatedFor: string): Promise<void>;
  /** `writer` is the field manager: each owns the fields of its last write, and no others. */
  writeStatus(
    kind: string,
    key: ObjectKey,
    status: unknown,
    writer: "status" | "registrations",
  ): Promise<void>;
  /** Sets or removes our finalizer. Does nothing if it is set or removed already. */
  setFinalizer(kind: string, key: ObjectKey, isSet: boolean): Promise<void>;
  /** Records an Event in the background. Never throws. */
  event(object: KubernetesObject, event: Event): void;
}
