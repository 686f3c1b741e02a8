/** Reads and writes a SipCluster's objects of Kubernetes' own kinds. Only objects with the label of a SipCluster are watched. */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypeOf, resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock, Ms } from "../../runtime/clock.ts";
import type { Manifest, Manifests, ManifestType } from "../../runtime/manifests.ts";
import { keyOfObject, type ObjectKey, splitKey } from "../../runtime/object.ts";
import type { StoreChange } from "../../runtime/reflected-store.ts";
import type { SourceListener, SourceObserver } from "./kubernetes-source.ts";
import { NodeRanges } from "./node-ranges.ts";
import { ReflectedType, describeStaleness } from "./reflected-type.ts";
import { ownValue } from "../../runtime/own-value.ts";

export interface KubernetesManifestsDependencies {
  readonly client: KubeClient;
  /** Absent: all namespaces. */
  readonly namespaces?: readonly string[];
  /** Shows the time of day. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Pick<SourceObserver, "reflecting" | "failed" | "handlerFailed">;
}

const clusterLabel = "sip.strowger.dev/cluster";
const watched = ["Deployment", "Service", "Pod", "EndpointSlice"] as const;
const manager = { fieldManager: "strowger-operator" };

export class KubernetesManifests implements Manifests {
  readonly #client: KubeClient;
  readonly #observer: KubernetesManifestsDependencies["observer"];
  readonly #reflected: ReadonlyMap<string, ReflectedType<Manifest>>;
  readonly #ranges: NodeRanges;
  #listener: Pick<SourceListener, "changed"> | undefined;
  #onSynced: () => void = () => undefined;

  constructor({ client, namespaces, clock, random, observer }: KubernetesManifestsDependencies) {
    this.#client = client;
    this.#observer = observer;
    this.#ranges = new NodeRanges(client, clock);
    this.#reflected = new Map(
      watched.map((kind) => {
        const reflection = {
          changed: (change: StoreChange<Manifest>) => {
            const key = keyOfObject(change.is === "removed" ? change.before : change.after);
            this.#listener?.changed({ kind, key, what: "object" });
          },
          listed: () => this.#checkSynced(),
          failed: (cause: unknown, retryIn: Ms) => observer.failed(kind, cause, retryIn),
          handlerFailed: (cause: unknown) => observer.handlerFailed(kind, cause),
        };
        const query = { namespaces, labelSelector: clusterLabel };
        return [
          kind,
          new ReflectedType<Manifest>(client, resourceTypes[kind], query, reflection, { clock, random }),
        ];
      }),
    );
  }

  /** Resolves when all kinds were listed once, or after `stop`. */
  async start(listener: Pick<SourceListener, "changed">): Promise<void> {
    this.#listener = listener;
    for (const [kind, reflected] of this.#reflected) {
      this.#observer.reflecting(kind, () => reflected.lastEventAge);
      reflected.start();
    }
    await new Promise<void>((resolve) => {
      this.#onSynced = resolve;
      this.#checkSynced();
    });
  }

  stop(): void {
    this.#listener = undefined;
    for (const reflected of this.#reflected.values()) reflected.stop();
    this.#onSynced();
  }

  /** The reason why not all objects are known yet; undefined: all are known. */
  get obstacle(): string | undefined {
    for (const [kind, { isSynced, obstacle }] of this.#reflected)
      if (!isSynced) return `${kind}: ${obstacle ?? "is being listed"}`;
    return undefined;
  }

  /** A kind without data from the API server for so long that the process should restart; undefined: there is none. */
  get staleness(): string | undefined {
    return this.#listener === undefined ? undefined : describeStaleness(this.#reflected.values());
  }

  async apply(manifest: Manifest): Promise<Manifest> {
    const type = resourceTypeOf(manifest);
    const written = await this.#client.apply<Manifest>(type, manifest, manager);
    this.#reflected.get(type.kind)?.learn(written);
    return written;
  }

  create(manifest: Manifest): Promise<boolean> {
    return this.#client.create(resourceTypeOf(manifest), manifest, manager).then(
      () => true,
      (error: unknown) => {
        if (isConflict(error)) return false;
        throw error;
      },
    );
  }

  read(of: ManifestType, key: ObjectKey): Promise<Manifest | undefined> {
    const type = resourceTypeOf(of);
    const { namespace, name } = splitKey(key);
    const objectKey = type.isNamespaced ? { namespace, name } : { name };
    return this.#client.get<Manifest>(type, objectKey).catch((error: unknown) => {
      if (isAbsence(error, type, name)) return undefined;
      throw error;
    });
  }

  list(
    { kind }: ManifestType,
    namespace: string,
    labels: Readonly<Record<string, string>>,
  ): readonly Manifest[] {
    const reflected = this.#reflected.get(kind);
    if (reflected === undefined) throw new Error(`${kind} is not watched; expected ${watched.join(", ")}`);
    return reflected
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace && hasLabels(metadata.labels, labels));
  }

  async remove(of: ManifestType, key: ObjectKey, uid: string): Promise<void> {
    const type = resourceTypeOf(of);
    await this.#client.delete(type, splitKey(key), { uid }).catch((error: unknown) => {
      if (!isAbsence(error, type, splitKey(key).name) && !isConflict(error)) throw error;
    });
  }

  clusterRanges(): Promise<readonly string[]> {
    return this.#ranges.read();
  }

  #checkSynced(): void {
    if ([...this.#reflected.values()].every(({ isSynced }) => isSynced)) this.#onSynced();
  }
}

const hasLabels = (
  labels: Manifest["metadata"]["labels"],
  wanted: Readonly<Record<string, string>>,
): boolean => Object.entries(wanted).every(([name, value]) => ownValue(labels, name) === value);
