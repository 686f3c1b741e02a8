/**
 * The API server as the source of objects. SipClusters, SipDomains and SipUsers are watched. Secrets with a label are watched without their
 * values; the values are read when they are needed. The result of a write goes into the store at once, so that no decision uses the
 * version before it.
 */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock, Ms } from "../../runtime/clock.ts";
import { keyOfObject, type KubernetesObject, type ObjectKey, splitKey } from "../../runtime/object.ts";
import type { Identified, StoreChange } from "../../runtime/reflected-store.ts";
import type { Change, Event, Existence, Secret, Source } from "../../runtime/source.ts";
import { awaitDefinitions } from "./await-definitions.ts";
import { classifyChange } from "./classify-change.ts";
import { EventRecorder } from "./event-recorder.ts";
import { NamespaceLabels } from "./namespace-labels.ts";
import { ReflectedType, describeStaleness, type ReflectionQuery } from "./reflected-type.ts";
import { readSecret, removeGenerated, writeGenerated } from "./secrets.ts";
import { writeFinalizer } from "./write-finalizer.ts";

export interface SourceObserver {
  /** Called once for each watched type; `age` returns the time since the API server last sent data about it. */
  reflecting(type: string, age: () => Ms): void;
  /** A list or a watch failed and is tried again. */
  failed(type: string, cause: unknown, retryIn: Ms): void;
  /** A listener threw, which is a bug of the operator. */
  handlerFailed(type: string, cause: unknown): void;
  /** The source waits until the API server serves the kinds. */
  waits(why: string): void;
  eventFailed(cause: unknown): void;
}

export interface SourceListener {
  changed(change: Change): void;
  /** Every kind was listed again, so rows without an object can be found. */
  settled(): void;
}

export interface KubernetesSourceDependencies {
  readonly client: KubeClient;
  /** Absent: all namespaces. */
  readonly namespaces?: readonly string[];
  /** Shows the time of day. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: SourceObserver;
}

const watchLabel = "sip.strowger.dev/watch=true";

type Kind = "SipCluster" | "SipDomain" | "SipUser";

export class KubernetesSource implements Source {
  readonly #client: KubeClient;
  readonly #deps: KubernetesSourceDependencies;
  readonly #kinds: ReadonlyMap<string, ReflectedType<KubernetesObject>>;
  /** The Secrets with the label, without their values. */
  readonly #secrets: ReflectedType<Identified>;
  readonly #all: readonly ReflectedType<Identified>[];
  readonly #namespaces: NamespaceLabels;
  readonly #events: EventRecorder;
  #listener: SourceListener | undefined;
  #waitReason: string | undefined = "the API server";
  #isStopped = false;
  #onSynced: () => void = () => undefined;

  constructor(deps: KubernetesSourceDependencies) {
    const { client, clock, observer, namespaces } = deps;
    this.#client = client;
    this.#deps = deps;
    this.#namespaces = new NamespaceLabels(client, clock);
    this.#events = new EventRecorder(client, clock, (cause) => observer.eventFailed(cause));
    const kinds: readonly Kind[] = ["SipCluster", "SipDomain", "SipUser"];
    this.#kinds = new Map(
      kinds.map((kind) => [
        kind,
        this.#reflect<KubernetesObject>(kind, { namespaces }, (change) => classifyChange(change)),
      ]),
    );
    const watched = { namespaces, labelSelector: watchLabel, isMetadataOnly: true, isIdentityOnly: true };
    this.#secrets = this.#reflect("Secret", watched);
    this.#all = [...this.#kinds.values(), this.#secrets];
  }

  /** Resolves when all kinds were listed once, or after `stop`. Until then `obstacle` is the reason for the wait. */
  async start(listener: SourceListener): Promise<void> {
    const { clock, observer } = this.#deps;
    this.#listener = listener;
    const onWaiting = (why: string): void => {
      this.#waitReason = why;
      observer.waits(why);
    };
    await awaitDefinitions(this.#client, clock, onWaiting, () => this.#isStopped);
    if (this.#isStopped) return;
    this.#waitReason = undefined;
    for (const reflected of this.#all) {
      observer.reflecting(reflected.type.kind, () => reflected.lastEventAge);
      reflected.start();
    }
    await new Promise<void>((resolve) => {
      this.#onSynced = resolve;
      this.#checkSynced();
    });
  }

  /** The source cannot be started again. Resolves when the recorded Events are written. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#listener = undefined;
    for (const reflected of this.#all) reflected.stop();
    this.#onSynced();
    await this.#events.flush();
  }

  /** The reason why not all objects are known yet; undefined: all are known. */
  get obstacle(): string | undefined {
    if (this.#waitReason !== undefined) return this.#waitReason;
    const notSynced = this.#all.find(({ isSynced }) => !isSynced);
    return notSynced === undefined
      ? undefined
      : `${notSynced.type.kind}: ${notSynced.obstacle ?? "is being listed"}`;
  }

  /** A kind without data from the API server for so long that the process should restart; undefined: there is none. */
  get staleness(): string | undefined {
    return this.#waitReason === undefined ? describeStaleness(this.#all) : undefined;
  }

  get(kind: string, key: ObjectKey): KubernetesObject | undefined {
    return this.#kind(kind).get(key);
  }

  list(kind: string): readonly KubernetesObject[] {
    return this.#kind(kind).list();
  }

  async existence(kind: string, key: ObjectKey): Promise<Existence> {
    const { type } = this.#kind(kind);
    try {
      const place = splitKey(key);
      const { metadata } = await this.#client.get<KubernetesObject>(type, place, { isMetadataOnly: true });
      return { is: "present", uid: metadata.uid };
    } catch (error) {
      if (isAbsence(error, type, splitKey(key).name)) return { is: "absent" };
      return { is: "unknown", why: (error as Error).message };
    }
  }

  namespaceLabels(namespace: string): Promise<Readonly<Record<string, string>> | undefined> {
    return this.#namespaces.of(namespace);
  }

  secret(key: ObjectKey): Promise<Secret | undefined> {
    return readSecret(this.#client, key, this.secretVersion(key));
  }

  secretVersion(key: ObjectKey): string | undefined {
    return this.#secrets.get(key)?.metadata.resourceVersion;
  }

  createSecret(
    key: ObjectKey,
    data: Readonly<Record<string, string>>,
    generatedFor: string,
  ): Promise<Secret | undefined> {
    return writeGenerated(this.#client, key, data, generatedFor);
  }

  removeSecret(key: ObjectKey, generatedFor: string): Promise<void> {
    return removeGenerated(this.#client, key, generatedFor);
  }

  /** Uses server-side apply, with a field manager for each writer. Writes nothing if the object does not exist or is another one with the same name. */
  async writeStatus(
    kind: string,
    key: ObjectKey,
    status: unknown,
    writer: "status" | "registrations",
  ): Promise<void> {
    const reflected = this.#kind(kind);
    const uid = reflected.get(key)?.metadata.uid;
    if (uid === undefined) return;
    const place = splitKey(key);
    const options = { fieldManager: `strowger-${writer}`, subresource: "status" } as const;
    const object = { metadata: { ...place, uid }, status };
    await this.#client.apply<KubernetesObject>(reflected.type, object, options).then(
      (written) => reflected.learn(written),
      (error: unknown) => {
        if (!isAbsence(error, reflected.type, place.name) && !isConflict(error)) throw error;
      },
    );
  }

  async setFinalizer(kind: string, key: ObjectKey, isPresent: boolean): Promise<void> {
    const reflected = this.#kind(kind);
    const written = await writeFinalizer(this.#client, reflected.type, key, isPresent, reflected.get(key));
    if (written !== undefined) reflected.learn(written);
  }

  event(object: KubernetesObject, event: Event): void {
    this.#events.record(object, event);
  }

  #kind(kind: string): ReflectedType<KubernetesObject> {
    const reflected = this.#kinds.get(kind);
    if (reflected === undefined)
      throw new Error(`${kind} is not watched; expected ${[...this.#kinds.keys()].join(", ")}`);
    return reflected;
  }

  #reflect<T extends Identified>(
    kind: Kind | "Secret",
    query: ReflectionQuery,
    what: (change: StoreChange<T>) => Change["what"] = () => "object",
  ): ReflectedType<T> {
    const { client, observer, clock, random } = this.#deps;
    const reflection = {
      changed: (change: StoreChange<T>) => {
        const key = keyOfObject(change.is === "removed" ? change.before : change.after);
        this.#listener?.changed({ kind, key, what: what(change) });
      },
      listed: () => {
        this.#checkSynced();
        if (kind !== "Secret" && this.#isSynced()) this.#listener?.settled();
      },
      failed: (cause: unknown, retryIn: Ms) => observer.failed(kind, cause, retryIn),
      handlerFailed: (cause: unknown) => observer.handlerFailed(kind, cause),
    };
    return new ReflectedType<T>(client, resourceTypes[kind], query, reflection, { clock, random });
  }

  #isSynced(): boolean {
    return this.#all.every(({ isSynced }) => isSynced);
  }

  #checkSynced(): void {
    if (this.#isSynced()) this.#onSynced();
  }
}
