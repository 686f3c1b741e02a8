/** The probes and the metrics of a node: `/healthz`, `/readyz`, `/metrics`. */
import { createServer, type Server, type ServerResponse } from "node:http";

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
}

export interface HttpPages {
  isReady(): boolean;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Rejects when the address cannot be bound. `/healthz` answers as long as the event loop turns. */
export function serveHttp(settings: HttpSettings, pages: HttpPages): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? "/", response, pages).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 5_000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, () => resolve(server));
  });
}

async function answer(url: string, response: ServerResponse, pages: HttpPages): Promise<void> {
  switch (url.split("?")[0]) {
    case "/healthz":
      return text(response, 200, "ok\n");
    case "/readyz":
      return pages.isReady() ? text(response, 200, "ready\n") : text(response, 503, "not ready\n");
    case "/metrics": {
      const { type, text: body } = await pages.metrics();
      response.writeHead(200, { "content-type": type }).end(body);
      return;
    }
    default:
      return text(response, 404, "known paths: /healthz /readyz /metrics\n");
  }
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
}
