/** The HTTP routes of the operator: probes, metrics, and the status of every object. */
import type { Registry } from "prom-client";
import { json, text, type Answer, type Routes } from "./http-server.ts";

export interface OperatorView {
  readonly registry: Registry;
  /** Why the operator is not ready; undefined: it is ready. A later outage is reported by conditions instead. */
  readonly readinessProblem: () => string | undefined;
  /** A problem that only a restart of the process solves. A process with a blocked event loop answers no probe at all. */
  readonly livenessProblem?: () => string | undefined;
  /** Everything that `GET /status` shows. */
  readonly status: () => unknown;
}

export const operatorRoutes = ({
  registry,
  readinessProblem,
  livenessProblem,
  status,
}: OperatorView): Routes =>
  new Map<string, () => Answer | Promise<Answer>>([
    ["/healthz", () => probe(livenessProblem?.())],
    ["/readyz", () => probe(readinessProblem())],
    ["/status", () => json(200, status())],
    ["/metrics", async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() })],
  ]);

const probe = (obstacle: string | undefined): Answer =>
  obstacle === undefined ? text(200, "ok") : text(503, obstacle);
