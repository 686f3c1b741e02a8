/** A small HTTP server: a table of pages and nothing else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

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

/** Rejects when the address cannot be bound. */
export function serveHttp(settings: HttpSettings, pages: Pages): Promise<Server> {
  const table = new Map(Object.entries(pages));
  const server = createServer((request, response) => {
    void answer(request, response, table).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 5_000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, () => resolve(server));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ReadonlyMap<string, Pages[string]>,
): Promise<void> {
  const name = `${request.method ?? ""} ${request.url?.split("?")[0] ?? ""}`;
  const page = pages.get(name);
  const known = [...pages.keys()].join(", ");
  const { status, type, text } =
    page === undefined ? { status: 404, text: `known: ${known}\n` } : await page();
  response
    .writeHead(status, { "content-type": type ?? "text/plain; charset=utf-8", "cache-control": "no-store" })
    .end(text);
}
