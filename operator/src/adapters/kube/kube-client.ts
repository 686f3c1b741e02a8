/** Reads and writes objects at the API server. They are plain JSON, so unknown fields are not lost. */
import type { HttpMethod } from "@kubernetes/client-node";
import type { Page, WatchEvent } from "../../runtime/reflector.ts";
import { ApiUnreachable } from "./api-error.ts";
import { ApiRequests, type KubeOptions } from "./api-requests.ts";
import { JsonLines } from "./json-lines.ts";
import type { KubeConnection } from "./kube-connection.ts";
import { describePlace, pathOf, type Place, type ResourceType } from "./resource-type.ts";

export interface ListQuery {
  readonly labelSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  /** Only `metadata` of each object. */
  readonly isMetadataOnly?: boolean;
}

interface GetOptions {
  /** Only `metadata`. */
  readonly isMetadataOnly?: boolean;
  readonly notOlderThan?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  readonly fieldManager: string;
  readonly subresource?: "status";
  readonly signal?: AbortSignal;
}

type Named = { readonly metadata: { readonly namespace?: string; readonly name: string } };

interface JsonRequest {
  readonly method: HttpMethod;
  readonly type: ResourceType;
  readonly place: Place;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
}

const metadataOf = (as: string): string => `application/json;as=${as};g=meta.k8s.io;v=v1,application/json`;

export class KubeClient {
  readonly #requests: ApiRequests;

  constructor(connection: KubeConnection, options: KubeOptions = {}) {
    this.#requests = new ApiRequests(connection, options);
  }

  /**
   * Throws `ApiRefused` if there is none; `isAbsence` shows whether the error proves its absence. With `notOlderThan`, a resource version,
   * the API server may answer from its cache, without a read of etcd.
   */
  get<T>(
    type: ResourceType,
    place: Place,
    { isMetadataOnly = false, notOlderThan, signal }: GetOptions = {},
  ): Promise<T> {
    const accept = isMetadataOnly ? { accept: metadataOf("PartialObjectMetadata") } : {};
    return this.#json(
      { method: "GET", type, place, query: { resourceVersion: notOlderThan }, ...accept },
      signal,
    );
  }

  /** Reads a path that belongs to no type, such as `/openapi/v3`. */
  async read<T>(path: string): Promise<T> {
    return (await this.#requests.ask(`GET ${path}`, {
      method: "GET",
      path,
      headers: { Accept: "application/json" },
    })) as T;
  }

  /** One page. Without `namespace`: of all namespaces. */
  async list<T>(
    type: ResourceType,
    namespace: string | undefined,
    { isMetadataOnly = false, ...query }: ListQuery = {},
    signal?: AbortSignal,
  ): Promise<Page<T>> {
    const place = namespace === undefined ? {} : { namespace };
    const accept = isMetadataOnly ? { accept: metadataOf("PartialObjectMetadataList") } : {};
    const list = await this.#json<{
      readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
      readonly items: readonly T[] | null;
    }>(
      { method: "GET", type, place, query: { ...query, limit: query.limit || undefined }, ...accept },
      signal,
    );
    return { ...list.metadata, items: list.items ?? [] };
  }

  /** Passes each event to `listener` until the server or `signal` ends the watch. It has no time limit; the caller must have one. */
  async watch<T>(
    type: ResourceType,
    namespace: string | undefined,
    query: {
      readonly labelSelector?: string;
      readonly isMetadataOnly?: boolean;
      readonly from: string;
      readonly timeoutSeconds: number;
    },
    listener: { opened(): void; on(event: WatchEvent<T>): void },
    signal: AbortSignal,
  ): Promise<void> {
    const place = namespace === undefined ? {} : { namespace };
    const what = `watch of ${describePlace(type, place)}`;
    const path =
      pathOf(type, place) +
      queryOf({
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: query.from,
        timeoutSeconds: query.timeoutSeconds,
        labelSelector: query.labelSelector,
      });
    const headers = {
      Accept: query.isMetadataOnly === true ? metadataOf("PartialObjectMetadata") : "application/json",
    };
    const stream = await this.#requests.open(what, { method: "GET", path, headers }, signal);
    listener.opened();
    const lines = new JsonLines();
    let isHandled = false; // the error is from the event or its handler, not from the connection
    const read = async (): Promise<void> => {
      for await (const chunk of stream) {
        isHandled = true;
        for (const event of lines.push(chunk)) listener.on(event as WatchEvent<T>);
        isHandled = false;
      }
    };
    await read().catch((cause: unknown) => {
      if (!isHandled && !signal.aborted) throw new ApiUnreachable(what, cause);
      throw cause;
    });
  }

  /** Server-side apply. Fields of `object` that other managers own are taken over. Returns the new object. */
  apply<T>(type: ResourceType, object: Named, { fieldManager, subresource }: WriteOptions): Promise<T> {
    const place = subresource === undefined ? placeOf(object) : { ...placeOf(object), subresource };
    const body = { apiVersion: type.apiVersion, kind: type.kind, ...object };
    const contentType = "application/apply-patch+yaml";
    return this.#json({
      method: "PATCH",
      type,
      place,
      query: { fieldManager, force: "true" },
      contentType,
      body,
    });
  }

  create<T>(type: ResourceType, object: Named, { fieldManager, signal }: WriteOptions): Promise<T> {
    const { namespace } = object.metadata;
    const place = namespace === undefined ? {} : { namespace };
    const body = { apiVersion: type.apiVersion, kind: type.kind, ...object };
    return this.#json({ method: "POST", type, place, query: { fieldManager }, body }, signal);
  }

  /** Refused with 409 if the object's resource version is no longer that of `object`. */
  replace<T>(type: ResourceType, object: Named, { fieldManager, signal }: WriteOptions): Promise<T> {
    const body = { apiVersion: type.apiVersion, kind: type.kind, ...object };
    return this.#json({ method: "PUT", type, place: placeOf(object), query: { fieldManager }, body }, signal);
  }

  /** `uid` and `resourceVersion` in the metadata of the patch are preconditions: refused with 409. */
  mergePatch<T>(
    type: ResourceType,
    place: Place,
    patch: unknown,
    { fieldManager }: WriteOptions,
  ): Promise<T> {
    const contentType = "application/merge-patch+json";
    return this.#json({ method: "PATCH", type, place, query: { fieldManager }, contentType, body: patch });
  }

  /** Refused with 409 if the object does not meet `preconditions`. Objects that it owns are deleted in the background. */
  async delete(
    type: ResourceType,
    place: Place,
    preconditions: { readonly uid: string; readonly resourceVersion?: string },
  ): Promise<void> {
    await this.#json({
      method: "DELETE",
      type,
      place,
      body: { propagationPolicy: "Background", preconditions },
    });
  }

  async #json<T>(
    { method, type, place, query = {}, accept, contentType, body }: JsonRequest,
    signal?: AbortSignal,
  ): Promise<T> {
    const what = `${method} ${describePlace(type, place)}`;
    const headers = {
      Accept: accept ?? "application/json",
      "Content-Type": contentType ?? "application/json",
    };
    const path = pathOf(type, place) + queryOf(query);
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return (await this.#requests.ask(what, { method, path, headers, ...text }, signal)) as T;
  }
}

const placeOf = ({ metadata: { namespace, name } }: Named): Place =>
  namespace === undefined ? { name } : { namespace, name };

function queryOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const present = Object.entries(query).filter(([, value]) => value !== undefined);
  if (present.length === 0) return "";
  return `?${new URLSearchParams(present.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}
