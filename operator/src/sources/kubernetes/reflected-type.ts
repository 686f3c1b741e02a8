/** All objects of one type in the watched namespaces: one reflector for the whole cluster, or one for each namespace. */
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import type { ResourceType } from "../../adapters/kube/resource-type.ts";
import type { Ms } from "../../runtime/clock.ts";
import { splitKey, type ObjectKey } from "../../runtime/object.ts";
import type { Identified, StoreChange } from "../../runtime/reflected-store.ts";
import { identityOf, trimObject } from "./trim-object.ts";
import { Reflector, type ListWatch, type ReflectorDependencies } from "../../runtime/reflector.ts";

export interface ReflectionQuery {
  /** Absent: all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  readonly labelSelector?: string;
  /** Only `metadata` is fetched and stored. */
  readonly isMetadataOnly?: boolean;
  /** Only namespace, name, uid and version are stored. */
  readonly isIdentityOnly?: boolean;
}

interface ReflectionObserver<T> {
  changed(change: StoreChange<T>): void;
  listed(objects: number): void;
  failed(cause: unknown, retryIn: Ms): void;
  handlerFailed(cause: unknown): void;
}

export class ReflectedType<T extends Identified> {
  readonly type: ResourceType;
  readonly #query: ReflectionQuery;
  /** The keys are namespaces; "" is the reflector of all namespaces. */
  readonly #reflectors: ReadonlyMap<string, Reflector<T>>;

  constructor(
    client: KubeClient,
    type: ResourceType,
    query: ReflectionQuery,
    observer: ReflectionObserver<T>,
    options: ReflectorDependencies,
  ) {
    this.type = type;
    this.#query = query;
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

  /** Puts the answer to a write of this process into the store. */
  learn(object: T): void {
    this.#of(object.metadata.namespace ?? "")?.learn(trim(this.type, this.#query, object));
  }

  get isSynced(): boolean {
    return [...this.#reflectors.values()].every(({ isSynced }) => isSynced);
  }

  /** Why the last list or watch failed, if one did. */
  get obstacle(): string | undefined {
    return [...this.#reflectors.values()].find(({ obstacle }) => obstacle !== undefined)?.obstacle;
  }

  /** The longest time without data, over all namespaces. */
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

/** The API server sends data at least every few minutes. Without data for this time the process should restart. */
const maxSilenceMs = 10 * 60_000;

/** A description of the first type without data for that long; undefined: there is none. */
export function describeStaleness(
  all: Iterable<Pick<ReflectedType<Identified>, "type" | "lastEventAge">>,
): string | undefined {
  for (const { type, lastEventAge } of all)
    if (lastEventAge > maxSilenceMs)
      return `${type.kind}: no data from the API server for ${Math.round(lastEventAge / 1000)} s`;
  return undefined;
}

function listWatch<T extends Identified>(
  client: KubeClient,
  type: ResourceType,
  namespace: string | undefined,
  query: ReflectionQuery,
): ListWatch<T> {
  const { labelSelector, isMetadataOnly = false } = query;
  const selection = { isMetadataOnly, ...(labelSelector === undefined ? {} : { labelSelector }) };
  return {
    async list(page, signal) {
      const listed = await client.list<T>(type, namespace, { ...selection, ...page }, signal);
      return { ...listed, items: listed.items.map((item) => trim(type, query, item)) };
    },
    watch(from, timeoutSeconds, handlers, signal) {
      const trimmingHandlers = {
        opened: () => handlers.opened(),
        on: (event: Parameters<typeof handlers.on>[0]) =>
          handlers.on(hasObject(event.type) ? { ...event, object: trim(type, query, event.object) } : event),
      };
      return client.watch<T>(
        type,
        namespace,
        { ...selection, from, timeoutSeconds },
        trimmingHandlers,
        signal,
      );
    },
  };
}

const hasObject = (type: string): boolean => type === "ADDED" || type === "MODIFIED" || type === "DELETED";

const trim = <T extends Identified>(type: ResourceType, { isIdentityOnly }: ReflectionQuery, object: T): T =>
  isIdentityOnly === true ? identityOf(object) : trimObject(type, object);
