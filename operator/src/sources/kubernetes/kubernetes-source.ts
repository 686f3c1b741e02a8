/**
 * The API server as the source of objects. Our kinds are watched; Secrets are watched by label and without their values, which are read when
 * they are needed. What we write is known here at once, so that nobody decides by what was before it.
 */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock, Ms } from "../../runtime/clock.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "../../runtime/object.ts";
import { keyOfObject, type Identified, type StoreChange } from "../../runtime/reflected-store.ts";
import type { Change, Event, Presence, Secret, Source } from "../../runtime/source.ts";
import { awaitDefinitions } from "./await-definitions.ts";
import { EventRecorder } from "./event-recorder.ts";
import { holdBack } from "./hold-back.ts";
import { NamespaceLabels } from "./namespace-labels.ts";
import { ReflectedType, stalenessOf, type ReflectionQuery } from "./reflected-type.ts";
import { readSecret, removeGenerated, writeGenerated } from "./secrets.ts";
import { whatChanged } from "./what-changed.ts";

export interface SourceObserver {
  /** Once for each type that is watched; `age` tells how long ago the API server last said anything about it. */
  reflecting(type: string, age: () => Ms): void;
  /** A list or a watch failed and is begun again. */
  failed(type: string, cause: unknown, retryIn: Ms): void;
  /** A listener threw: a mistake of ours. */
  handlerFailed(type: string, cause: unknown): void;
  /** Nothing is watched before the kinds are served. */
  waits(why: string): void;
  eventFailed(cause: unknown): void;
}

export interface SourceListener {
  changed(change: Change): void;
  /** Everything was listed anew: what has no object any more can be looked for. */
  settled(): void;
}

export interface KubernetesSourceOptions {
  readonly client: KubeClient;
  /** Absent: all of them. */
  readonly namespaces?: readonly string[];
  /** The time of day. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: SourceObserver;
}

const watchLabel = "sip.strowger.dev/watch=true";

type Kind = "SipCluster" | "SipDomain" | "SipUser";

export class KubernetesSource implements Source {
  readonly #client: KubeClient;
  readonly #options: KubernetesSourceOptions;
  readonly #kinds: ReadonlyMap<string, ReflectedType<KubernetesObject>>;
  /** Those with the label, without their values. */
  readonly #secrets: ReflectedType<Identified>;
  readonly #all: readonly ReflectedType<Identified>[];
  readonly #namespaces: NamespaceLabels;
  readonly #events: EventRecorder;
  #listener: SourceListener | undefined;
  #waitsFor: string | undefined = "the API server";
  #isStopped = false;
  #whenSynced: () => void = () => undefined;

  constructor(options: KubernetesSourceOptions) {
    const { client, clock, observer, namespaces } = options;
    this.#client = client;
    this.#options = options;
    this.#namespaces = new NamespaceLabels(client, clock);
    this.#events = new EventRecorder(client, clock, (cause) => observer.eventFailed(cause));
    const kinds: readonly Kind[] = ["SipCluster", "SipDomain", "SipUser"];
    this.#kinds = new Map(
      kinds.map((kind) => [
        kind,
        this.#reflect<KubernetesObject>(kind, { namespaces }, (change) => whatChanged(change)),
      ]),
    );
    const watched = { namespaces, labelSelector: watchLabel, isMetadataOnly: true };
    this.#secrets = this.#reflect("Secret", watched);
    this.#all = [...this.#kinds.values(), this.#secrets];
  }

  /** Resolves when everything was listed once, or after `stop`. Until then `obstacle` says what it waits for. */
  async start(listener: SourceListener): Promise<void> {
    const { clock, observer } = this.#options;
    this.#listener = listener;
    const waits = (why: string): void => {
      this.#waitsFor = why;
      observer.waits(why);
    };
    await awaitDefinitions(this.#client, clock, waits, () => this.#isStopped);
    if (this.#isStopped) return;
    this.#waitsFor = undefined;
    for (const reflected of this.#all) {
      observer.reflecting(reflected.type.kind, () => reflected.lastEventAge);
      reflected.start();
    }
    await new Promise<void>((resolve) => {
      this.#whenSynced = resolve;
      this.#checkSynced();
    });
  }

  /** Final. Events that were recorded are written first. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#listener = undefined;
    for (const reflected of this.#all) reflected.stop();
    this.#whenSynced();
    await this.#events.flush();
  }

  /** What has to happen before every object is known; undefined: they are. */
  get obstacle(): string | undefined {
    if (this.#waitsFor !== undefined) return this.#waitsFor;
    const behind = this.#all.find(({ isSynced }) => !isSynced);
    return behind === undefined ? undefined : `${behind.type.kind}: ${behind.obstacle ?? "is being listed"}`;
  }

  /** What was not heard of for so long that the process does better to begin anew; undefined: all is well. */
  get staleness(): string | undefined {
    return this.#waitsFor === undefined ? stalenessOf(this.#all) : undefined;
  }

  get(kind: string, key: ObjectKey): KubernetesObject | undefined {
    return this.#kind(kind).get(key);
  }

  list(kind: string): readonly KubernetesObject[] {
    return this.#kind(kind).list();
  }

  async presence(kind: string, key: ObjectKey): Promise<Presence> {
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
    return readSecret(this.#client, key);
  }

  secretVersion(key: ObjectKey): string | undefined {
    return this.#secrets.get(key)?.metadata.resourceVersion;
  }

  createSecret(key: ObjectKey, data: Readonly<Record<string, string>>, generatedFor: string): Promise<void> {
    return writeGenerated(this.#client, key, data, generatedFor);
  }

  removeSecret(key: ObjectKey, generatedFor: string): Promise<void> {
    return removeGenerated(this.#client, key, generatedFor);
  }

  /** By server-side apply, one field manager for each writer. Writes nothing where the object is gone, or is another one by now. */
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

  async setFinalizer(kind: string, key: ObjectKey, isHeld: boolean): Promise<void> {
    const reflected = this.#kind(kind);
    const written = await holdBack(this.#client, reflected.type, key, isHeld, reflected.get(key));
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
    const { client, observer, clock, random } = this.#options;
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
    if (this.#isSynced()) this.#whenSynced();
  }
}
