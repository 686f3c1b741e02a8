/** A small HTTP server with a table of routes. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Default: plain text. */
  readonly type?: string;
  readonly text: string;
}

/** By method and path: `GET /metrics`. */
export type Routes = Readonly<Record<string, () => HttpResponse | Promise<HttpResponse>>>;

/** Rejects if the address cannot be bound. A request that `isAllowed` refuses gets 403. */
export function serveHttp(
  { host, port }: HttpOptions,
  routes: Routes,
  isAllowed: (headers: IncomingHttpHeaders) => boolean = () => true,
): Promise<Server> {
  const table: RouteTable = new Map(Object.entries(routes));
  const server = createServer((request, response) => {
    const allowed = isAllowed(request.headers) ? table : undefined;
    void answer(request, response, allowed).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 5_000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

/**
 * Refuses browsers. A web page that a user opens can send requests to a loopback port: with a form that is posted across sites, or under a
 * name that resolves to loopback.
 */
export const isFromLoopback = ({ host = "", origin }: IncomingHttpHeaders): boolean =>
  origin === undefined && /^(127(\.\d{1,3}){3}|\[::1\]|localhost)(:\d+)?$/i.test(host);

type RouteTable = ReadonlyMap<string, Routes[string]>;

/** `routes`: undefined for a request that is not allowed. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: RouteTable | undefined,
): Promise<void> {
  const { status, type, text }: HttpResponse = await respond(request, routes);
  response
    .writeHead(status, { "content-type": type ?? "text/plain; charset=utf-8", "cache-control": "no-store" })
    .end(text);
}

function respond({ method, url }: IncomingMessage, routes: RouteTable | undefined) {
  if (routes === undefined) return { status: 403, text: "only from this host, and not from a browser\n" };
  const route = routes.get(`${method ?? ""} ${url?.split("?")[0] ?? ""}`);
  return route?.() ?? { status: 404, text: `known: ${[...routes.keys()].join(", ")}\n` };
}
