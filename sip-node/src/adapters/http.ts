/** A small HTTP server: a table of pages and nothing else. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
}

export interface Page {
  readonly status: number;
  /** Default: plain text. */
  readonly type?: string;
  readonly text: string;
}

/** By method and path: `GET /metrics`. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

/** Rejects when the address cannot be bound. Whom `isWelcome` refuses gets 403. */
export function serveHttp(
  settings: HttpSettings,
  pages: Pages,
  isWelcome: (headers: IncomingHttpHeaders) => boolean = () => true,
): Promise<Server> {
  const table = new Map(Object.entries(pages));
  const server = createServer((request, response) => {
    const known = isWelcome(request.headers) ? table : undefined;
    void answer(request, response, known).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 5_000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, () => resolve(server));
  });
}

/**
 * Not a browser on somebody's behalf: what listens on loopback can be reached by every web page that its user opens, as a form that is
 * posted across sites or under a name that resolves to loopback.
 */
export const isFromLoopback = ({ host = "", origin }: IncomingHttpHeaders): boolean =>
  origin === undefined && /^(127(\.\d{1,3}){3}|\[::1\]|localhost)(:\d+)?$/i.test(host);

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ReadonlyMap<string, Pages[string]> | undefined,
): Promise<void> {
  const { status, type, text }: Page = await find(request, pages);
  response
    .writeHead(status, { "content-type": type ?? "text/plain; charset=utf-8", "cache-control": "no-store" })
    .end(text);
}

function find({ method, url }: IncomingMessage, pages: ReadonlyMap<string, Pages[string]> | undefined) {
  if (pages === undefined) return { status: 403, text: "only from this host, and not by a browser\n" };
  const page = pages.get(`${method ?? ""} ${url?.split("?")[0] ?? ""}`);
  return page?.() ?? { status: 404, text: `known: ${[...pages.keys()].join(", ")}\n` };
}
