/**
 * The connection to the API server: address, certificates and credentials from the client library's `KubeConfig`, requests in plain JSON.
 *
 * The library creates a dispatcher, and so a TLS connection, for each request. This class reuses one dispatcher while server, proxy and
 * certificates are unchanged. A certificate that was renewed on disk causes a new dispatcher; the old one ends with its last request.
 * The serialisers of the library are not used, because they drop unknown fields. Its `fetch` is used only without TLS, where there is no
 * dispatcher: requests of the dispatcher itself need half the processor time.
 */
import {
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  RequestContext,
  type HttpMethod,
} from "@kubernetes/client-node";

export interface KubeRequest {
  readonly method: HttpMethod;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface KubeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  text(): Promise<string>;
  stream(): AsyncIterable<Uint8Array>;
}

type Dispatcher = NonNullable<ReturnType<RequestContext["getDispatcher"]>>;

/** A method of `KubeConfig` that its types lack. */
interface Dispatching {
  createDispatcher(cluster: unknown, options: Readonly<Record<string, unknown>>): Dispatcher | undefined;
}

export class KubeConnection {
  /** host:port of the API server, for metrics. */
  readonly host: string;
  readonly #config: KubeConfig;
  readonly #server: string;
  readonly #http = new IsomorphicFetchHttpLibrary();
  #dispatcher:
    | { readonly settings: readonly unknown[]; readonly since: number; readonly made: Dispatcher | undefined }
    | undefined;

  private constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (cluster === null)
      throw new Error(`kubeconfig: the context ${config.getCurrentContext()} names no cluster`);
    this.#config = config;
    this.#server = cluster.server.replace(/\/$/, "");
    this.host = new URL(cluster.server).host;
    this.#reuseDispatcher();
  }

  /** In a pod by its ServiceAccount, elsewhere by KUBECONFIG or ~/.kube/config. */
  static open(): KubeConnection {
    const config = new KubeConfig();
    config.loadFromDefault();
    const cluster = config.getCurrentCluster();
    if (cluster?.name === "cluster" && cluster.server === "http://localhost:8080")
      throw new Error(
        "no Kubernetes is configured; expected a ServiceAccount's token, KUBECONFIG or ~/.kube/config",
      );
    return new KubeConnection(config);
  }

  static fromFile(path: string): KubeConnection {
    const config = new KubeConfig();
    config.loadFromFile(path);
    return new KubeConnection(config);
  }

  /** Resolves with the head of the response. Throws the error of the connection, or the reason of `signal`. */
  async send(request: KubeRequest, signal: AbortSignal): Promise<KubeAnswer> {
    const context = new RequestContext(this.#server + request.path, request.method);
    for (const [name, value] of Object.entries(request.headers)) context.setHeaderParam(name, value);
    await this.#config.applySecurityAuthentication(context);
    context.setHeaderParam("User-Agent", "strowger-operator");
    const dispatcher = context.getDispatcher();
    return dispatcher === undefined
      ? this.#fetch(context, request, signal)
      : requestBy(dispatcher, context, request, signal);
  }

  async #fetch(context: RequestContext, { body }: KubeRequest, signal: AbortSignal): Promise<KubeAnswer> {
    if (body !== undefined) context.setBody(body);
    context.setSignal(signal);
    const answer = await this.#http.send(context).toPromise();
    return {
      status: answer.httpStatusCode,
      headers: answer.headers,
      text: () => answer.body.text(),
      stream: () => answer.body.stream() ?? new ReadableStream({ start: (controller) => controller.close() }),
    };
  }

  /**
   * New requests use another connection than requests before `time` (performance.now). On a dead connection each would time out. Running
   * requests continue on the old connection.
   */
  renew(time: number): void {
    const old = this.#dispatcher;
    if (old === undefined || old.since > time) return;
    this.#dispatcher = undefined;
    old.made?.close().catch(() => undefined);
  }

  /** Aborts all running requests. */
  async close(): Promise<void> {
    const { made } = this.#dispatcher ?? {};
    this.#dispatcher = undefined;
    await made?.destroy();
  }

  #reuseDispatcher(): void {
    const config = this.#config as unknown as Dispatching;
    const create = config.createDispatcher.bind(config);
    config.createDispatcher = (cluster, options) => {
      const settings = [cluster, ...Object.entries(options).flat()];
      if (this.#dispatcher !== undefined && areEqual(this.#dispatcher.settings, settings))
        return this.#dispatcher.made;
      const since = performance.now();
      this.renew(since);
      this.#dispatcher = { settings, since, made: create(cluster, options) };
      return this.#dispatcher.made;
    };
  }
}

async function requestBy(
  dispatcher: Dispatcher,
  context: RequestContext,
  { method, body }: KubeRequest,
  signal: AbortSignal,
): Promise<KubeAnswer> {
  const { origin, pathname, search } = new URL(context.getUrl());
  const answer = await dispatcher.request({
    origin,
    path: pathname + search,
    method,
    headers: context.getHeaders(),
    body: body ?? null,
    signal,
  });
  return {
    status: answer.statusCode,
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
    text: () => answer.body.text(),
    stream: () => answer.body,
  };
}

/** Certificates are read from their files for each request, so they are compared by their bytes. */
const areEqual = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length &&
  one.every((value, index) => {
    const second = other[index];
    return Buffer.isBuffer(value) && Buffer.isBuffer(second) ? value.equals(second) : value === second;
  });
