/** What the operator answers over HTTP: probes, metrics, and the status of every object. */
import type { Registry } from "prom-client";
import { json, text, type Answer, type Routes } from "./http-server.ts";

export interface OperatorView {
  readonly registry: Registry;
  /** Why the operator is not ready; undefined: it is. An outage later on is the conditions' matter. */
  readonly notReadyYet: () => string | undefined;
  /** What only a new process can mend; undefined: nothing. A process whose event loop is stuck answers no probe at all. */
  readonly sickness?: () => string | undefined;
  /** Everything that `GET /status` shows. */
  readonly status: () => unknown;
}

export const operatorRoutes = ({ registry, notReadyYet, sickness, status }: OperatorView): Routes =>
  new Map<string, () => Answer | Promise<Answer>>([
    ["/healthz", () => probe(sickness?.())],
    ["/readyz", () => probe(notReadyYet())],
    ["/status", () => json(200, status())],
    ["/metrics", async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() })],
  ]);

const probe = (obstacle: string | undefined): Answer =>
  obstacle === undefined ? text(200, "ok") : text(503, obstacle);
