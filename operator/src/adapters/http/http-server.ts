/** The HTTP server of the operator: only GET, a few paths, no framework. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The handler of each path. */
export type Routes = ReadonlyMap<string, () => Answer | Promise<Answer>>;

export const text = (status: number, body: string): Answer => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${body}\n`,
});

export const json = (status: number, value: unknown): Answer => ({
  status,
  type: "application/json",
  body: `${JSON.stringify(value, null, 2)}\n`,
});

/** Listens until the process ends. Returns the port; for port 0 it is any free port. */
export async function startHttpServer(
  host: string,
  port: number,
  routes: Routes,
): Promise<{ readonly port: number }> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    answer(routes, request.method, request.url)
      .then(({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body))
      .catch(() => response.destroy());
  });
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port };
}

async function answer(routes: Routes, method: string | undefined, url: string | undefined): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return text(405, "only GET");
  const route = routes.get((url ?? "/").split("?")[0] ?? "/");
  if (route === undefined) return text(404, `no such path; the paths are ${[...routes.keys()].join(", ")}`);
  try {
    return await route();
  } catch {
    return text(500, "failed; see the log");
  }
}
