/** Everything of one type in the namespaces that are watched: one reflector for all of them, or one for each. */
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import type { ResourceType } from "../../adapters/kube/resource-type.ts";
import type { Ms } from "../../runtime/clock.ts";
import { splitKey, type ObjectKey } from "../../runtime/object.ts";
import type { Identified, StoreChange } from "../../runtime/reflected-store.ts";
import { Reflector, type ListWatch, type ReflectorOptions } from "../../runtime/reflector.ts";

export interface ReflectionQuery {
  /** Absent: all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  readonly labelSelector?: string;
  /** Nothing but `metadata` is fetched and kept. */
  readonly isMetadataOnly?: boolean;
}

export interface ReflectionObserver<T> {
  changed(change: StoreChange<T>): void;
  listed(objects: number): void;
  failed(cause: unknown, retryIn: Ms): void;
  handlerFailed(cause: unknown): void;
}

export class ReflectedType<T extends Identified> {
  readonly type: ResourceType;
  /** By namespace; the one of all namespaces by "". */
  readonly #reflectors: ReadonlyMap<string, Reflector<T>>;

  constructor(
    client: KubeClient,
    type: ResourceType,
    query: ReflectionQuery,
    observer: ReflectionObserver<T>,
    options: ReflectorOptions,
  ) {
    this.type = type;
    const reflectorOf = (namespace: string | undefined): Reflector<T> =>
      new Reflector(listWatch<T>(client, type, namespace, query), observer, options);
    this.#reflectors = new Map(
      query.namespaces === undefined
        ? [["", reflectorOf(undefined)]]
        : query.namespaces.map((namespace) => [namespace, reflectorOf(namespace)]),
    );
  }

  start(): void {
    for (const reflector of this.#reflectors.values()) reflector.start();
  }

  stop(): void {
    for (const reflector of this.#reflectors.values()) reflector.stop();
  }

  get(key: ObjectKey): T | undefined {
    return this.#of(splitKey(key).namespace)?.get(key);
  }

  list(): readonly T[] {
    return [...this.#reflectors.values()].flatMap((reflector) => reflector.list());
  }

  /** Takes in the answer to a write of our own. */
  learn(object: T): void {
    this.#of(object.metadata.namespace ?? "")?.learn(trimmed(this.type, object));
  }

  get isSynced(): boolean {
    return [...this.#reflectors.values()].every(({ isSynced }) => isSynced);
  }

  /** Why the last list or watch failed, if one did. */
  get obstacle(): string | undefined {
    return [...this.#reflectors.values()].find(({ obstacle }) => obstacle !== undefined)?.obstacle;
  }

  /** Of the namespace that was heard of least recently. */
  get lastEventAge(): Ms {
    return [...this.#reflectors.values()].reduce(
      (oldest, { lastEventAge }) => Math.max(oldest, lastEventAge),
      Number.NEGATIVE_INFINITY,
    );
  }

  #of(namespace: string): Reflector<T> | undefined {
    return this.#reflectors.get("") ?? this.#reflectors.get(namespace);
  }
}

/** The API server says something at least every few minutes; after this time the process does better to begin anew. */
const longestSilence = 10 * 60_000;

/** What was not heard of for that long; undefined: all is well. */
export function stalenessOf(
  all: Iterable<Pick<ReflectedType<Identified>, "type" | "lastEventAge">>,
): string | undefined {
  for (const { type, lastEventAge } of all)
    if (lastEventAge > longestSilence)
      return `${type.kind}: nothing was heard from the API server for ${Math.round(lastEventAge / 1000)} s`;
  return undefined;
}

function listWatch<T extends Identified>(
  client: KubeClient,
  type: ResourceType,
  namespace: string | undefined,
  { labelSelector, isMetadataOnly = false }: ReflectionQuery,
): ListWatch<T> {
  const selection = { isMetadataOnly, ...(labelSelector === undefined ? {} : { labelSelector }) };
  return {
    async list(page, signal) {
      const listed = await client.list<T>(type, namespace, { ...selection, ...page }, signal);
      return { ...listed, items: listed.items.map((item) => trimmed(type, item)) };
    },
    watch(from, timeoutSeconds, told, signal) {
      const trimming = {
        opened: () => told.opened(),
        on: (event: Parameters<typeof told.on>[0]) =>
          told.on(isOfObject(event.type) ? { ...event, object: trimmed(type, event.object) } : event),
      };
      return client.watch<T>(type, namespace, { ...selection, from, timeoutSeconds }, trimming, signal);
    },
  };
}

const isOfObject = (type: string): boolean => type === "ADDED" || type === "MODIFIED" || type === "DELETED";

/** Items of a list do not say their kind; who owns which field is half of an object and nobody's business here. */
function trimmed<T extends Identified>({ apiVersion, kind }: ResourceType, object: T): T {
  const metadata: T["metadata"] & { managedFields?: unknown } = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, apiVersion, kind, metadata };
}
