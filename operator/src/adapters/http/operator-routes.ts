/** What the operator answers over HTTP: probes, metrics, and the status of every object. */
import type { Registry } from "prom-client";
import { json, text, type Answer, type Routes } from "./http-server.ts";

export interface OperatorView {
  readonly registry: Registry;
  /** Why the operator is not ready; undefined: it is. An outage later on is the conditions' matter. */
  readonly notReadyYet: () => string | undefined;
  /** Everything that `GET /status` shows. */
  readonly status: () => unknown;
}

export const operatorRoutes = ({ registry, notReadyYet, status }: OperatorView): Routes =>
  new Map<string, () => Answer | Promise<Answer>>([
    ["/healthz", () => text(200, "ok")],
    ["/readyz", () => readiness(notReadyYet())],
    ["/status", () => json(200, status())],
    ["/metrics", async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() })],
  ]);

const readiness = (obstacle: string | undefined): Answer =>
  obstacle === undefined ? text(200, "ok") : text(503, obstacle);
