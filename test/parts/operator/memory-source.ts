/** Objects, Secrets and statuses in memory, for tests of controllers and installations on a real database. */
import {
  keyOf,
  splitKey,
  type KubernetesObject,
  type ObjectKey,
} from "../../../operator/src/runtime/object.ts";
import type { Change, Event, Existence, Secret, Source } from "../../../operator/src/runtime/source.ts";

export class MemorySource implements Source {
  readonly objects = new Map<string, KubernetesObject>();
  readonly secrets = new Map<ObjectKey, Secret>();
  /** Versions of Secrets that a watch has reported, where they differ from `secrets`; undefined: none. */
  readonly reported = new Map<ObjectKey, string | undefined>();
  readonly namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly events: (Event & { readonly name: string })[] = [];
  /** The requests that a real source would send to an API server. */
  readonly requests: string[] = [];
  /** The results of live reads that differ from `objects`. */
  readonly presences = new Map<string, Existence>();
  /** The last status of each writer. */
  readonly written = new Map<string, unknown>();
  /** Called for every object that is put or removed. */
  changed: (change: Change) => void = () => undefined;

  /** Creates the object, or changes its spec or metadata and increases its generation. */
  put(kind: string, namespace: string, name: string, spec: object, more: object = {}): KubernetesObject {
    const id = `${kind} ${keyOf(namespace, name)}`;
    const before = this.objects.get(id);
    const object: KubernetesObject = {
      ...before,
      kind,
      metadata: {
        namespace,
        name,
        uid: before?.metadata.uid ?? `uid-${this.objects.size}-${name}`,
        ...(before?.metadata.creationTimestamp === undefined
          ? {}
          : { creationTimestamp: before.metadata.creationTimestamp }),
        ...(before?.metadata.finalizers === undefined ? {} : { finalizers: before.metadata.finalizers }),
        generation: (before?.metadata.generation ?? 0) + 1,
        ...more,
      },
      spec,
    };
    this.objects.set(id, object);
    this.changed({ kind, key: keyOf(namespace, name), what: "object" });
    return object;
  }

  remove(kind: string, namespace: string, name: string): void {
    this.objects.delete(`${kind} ${keyOf(namespace, name)}`);
    this.changed({ kind, key: keyOf(namespace, name), what: "object" });
  }

  get(kind: string, key: ObjectKey): KubernetesObject | undefined {
    return this.objects.get(`${kind} ${key}`);
  }

  list(kind: string): readonly KubernetesObject[] {
    return [...this.objects.values()].filter((object) => object.kind === kind);
  }

  existence(kind: string, key: ObjectKey): Promise<Existence> {
    this.requests.push(`GET ${kind} ${key}`);
    const found = this.get(kind, key);
    const override = this.presences.get(`${kind} ${key}`);
    return Promise.resolve(
      override ?? (found === undefined ? { is: "absent" } : { is: "present", uid: found.metadata.uid }),
    );
  }

  namespaceLabels(namespace: string): Promise<Readonly<Record<string, string>> | undefined> {
    this.requests.push(`GET Namespace ${namespace}`);
    return Promise.resolve(this.namespaces.get(namespace));
  }

  secret(key: ObjectKey): Promise<Secret | undefined> {
    this.requests.push(`GET Secret ${key}`);
    return Promise.resolve(this.secrets.get(key));
  }

  secretVersion(key: ObjectKey): string | undefined {
    return this.reported.has(key) ? this.reported.get(key) : this.secrets.get(key)?.resourceVersion;
  }

  createSecret(
    key: ObjectKey,
    data: Readonly<Record<string, string>>,
    generatedFor: string,
  ): Promise<Secret | undefined> {
    this.requests.push(`POST Secret ${key}`);
    if (!this.secrets.has(key))
      this.secrets.set(key, { data, generatedFor, resourceVersion: "generated", isWatched: true });
    return Promise.resolve(this.secrets.get(key));
  }

  removeSecret(key: ObjectKey, generatedFor: string): Promise<void> {
    this.requests.push(`DELETE Secret ${key}`);
    if (this.secrets.get(key)?.generatedFor === generatedFor) this.secrets.delete(key);
    return Promise.resolve();
  }

  writeStatus(kind: string, key: ObjectKey, status: unknown, writer: string): Promise<void> {
    this.requests.push(`PATCH ${kind} ${key} status by ${writer}`);
    const object = this.get(kind, key);
    if (object === undefined) return Promise.resolve();
    const writerKey = `${writer} ${kind} ${key}`;
    const others: Record<string, unknown> = { ...(object.status as object | undefined) };
    for (const field of Object.keys((this.written.get(writerKey) as object | undefined) ?? {}))
      delete others[field];
    this.written.set(writerKey, status);
    this.objects.set(`${kind} ${key}`, { ...object, status: { ...others, ...(status as object) } });
    return Promise.resolve();
  }

  setFinalizer(kind: string, key: ObjectKey, isHeld: boolean): Promise<void> {
    const object = this.get(kind, key);
    const finalizers = isHeld ? ["sip.strowger.dev/rows"] : [];
    if (object === undefined || (object.metadata.finalizers?.length ?? 0) === finalizers.length)
      return Promise.resolve();
    this.requests.push(`PATCH ${kind} ${key} finalizers`);
    const isGone = object.metadata.deletionTimestamp !== undefined && !isHeld;
    const { namespace, name } = splitKey(key);
    if (isGone) this.remove(kind, namespace, name);
    else this.objects.set(`${kind} ${key}`, { ...object, metadata: { ...object.metadata, finalizers } });
    return Promise.resolve();
  }

  event({ metadata: { name } }: KubernetesObject, event: Event): void {
    this.events.push({ ...event, name });
  }
}
