/**
 * The connection to the API server: address, certificates and credentials from the client library's `KubeConfig`, requests in plain JSON.
 *
 * The library creates a dispatcher, and so a TLS connection, for each request. This class reuses one dispatcher while server, proxy and
 * certificates are unchanged. A certificate that was renewed on disk causes a new dispatcher; the old one ends with its last request.
 * The serialisers of the library are not used, because they drop unknown fields.
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
  stream(): ReadableStream<Uint8Array>;
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
    | { readonly key: string; readonly since: number; readonly made: Dispatcher | undefined }
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

  /** Resolves with the head of the response. Throws what `fetch` throws, and the reason of `signal`. */
  async send(request: KubeRequest, signal: AbortSignal): Promise<KubeAnswer> {
    const context = new RequestContext(this.#server + request.path, request.method);
    for (const [name, value] of Object.entries(request.headers)) context.setHeaderParam(name, value);
    if (request.body !== undefined) context.setBody(request.body);
    await this.#config.applySecurityAuthentication(context);
    context.setHeaderParam("User-Agent", "strowger-operator");
    context.setSignal(signal);
    const { httpStatusCode, headers, body } = await this.#http.send(context).toPromise();
    return {
      status: httpStatusCode,
      headers,
      text: () => body.text(),
      stream: () => body.stream() ?? new ReadableStream({ start: (controller) => controller.close() }),
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
      const key = JSON.stringify([
        cluster,
        ...Object.entries(options).map(([name, value]) => [name, asText(value)]),
      ]);
      if (this.#dispatcher?.key === key) return this.#dispatcher.made;
      const since = performance.now();
      this.renew(since);
      this.#dispatcher = { key, since, made: create(cluster, options) };
      return this.#dispatcher.made;
    };
  }
}

const asText = (value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString("base64") : value);
