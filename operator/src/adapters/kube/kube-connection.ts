/**
 * The way to the API server: address, certificates and credentials by the client library's `KubeConfig`, requests in plain JSON.
 *
 * The library makes a dispatcher, and with it a TLS connection, for every request. Here one is kept for as long as server, proxy and
 * certificates are the same; a certificate that was renewed on disk makes a new one, and the old one ends with its last request.
 * The library's own serialisers are not used: they drop every field that they do not know.
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
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  text(): Promise<string>;
  stream(): ReadableStream<Uint8Array>;
}

type Dispatcher = NonNullable<ReturnType<RequestContext["getDispatcher"]>>;

/** The part of `KubeConfig` that is not in its types. */
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
    this.#keepDispatcher();
  }

  /** Inside a cluster by the pod's ServiceAccount; elsewhere by KUBECONFIG or ~/.kube/config. */
  static open(): KubeConnection {
    const config = new KubeConfig();
    config.loadFromDefault();
    const cluster = config.getCurrentCluster();
    if (cluster?.name === "cluster" && cluster.server === "http://localhost:8080")
      throw new Error(
        "no Kubernetes to talk to: expected a ServiceAccount's token, KUBECONFIG or ~/.kube/config",
      );
    return new KubeConnection(config);
  }

  static fromFile(path: string): KubeConnection {
    const config = new KubeConfig();
    config.loadFromFile(path);
    return new KubeConnection(config);
  }

  /** Resolves with the head of the answer. Throws what `fetch` throws, and the reason of `signal`. */
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
   * Requests from now on take another connection than those before `time` (performance.now): one that died in silence would let each of
   * them time out. What is under way on the old one goes on.
   */
  renew(time: number): void {
    const old = this.#dispatcher;
    if (old === undefined || old.since > time) return;
    this.#dispatcher = undefined;
    old.made?.close().catch(() => undefined);
  }

  /** Cuts every request that is under way. */
  async close(): Promise<void> {
    const { made } = this.#dispatcher ?? {};
    this.#dispatcher = undefined;
    await made?.destroy();
  }

  #keepDispatcher(): void {
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
