/** The HTTP routes of a node: probes and metrics on one port; status and drain on another port, on loopback only. */
import type { Routes } from "../adapters/http.ts";
import type { Ms } from "../wire/units.ts";
import type { Stage } from "./life-cycle.ts";

export interface Status {
  readonly node: string;
  readonly name: string;
  readonly version: string;
  readonly stage: Stage;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly transactions: { readonly server: number; readonly client: number };
  /** The number of live peers that do not drain. */
  readonly servingPeers: number;
  readonly configurationHash: string;
  readonly configurationProblems: readonly string[];
  /** The names of the mounted settings that need a restart. */
  readonly configurationRestarts: readonly string[];
}

export interface RoutesDependencies {
  status(): Status;
  /** The time since the last tick of the node. */
  sinceTick(): Ms;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  drain(): void;
}

/** A node that is only busy must not fail its liveness probe (rule 20). */
const livenessTimeout: Ms = 10_000;

export const publicRoutes = (deps: RoutesDependencies): Routes => ({
  "GET /healthz": () =>
    deps.sinceTick() < livenessTimeout
      ? { status: 200, text: "ok\n" }
      : { status: 503, text: `no tick for ${Math.round(deps.sinceTick())} ms\n` },
  "GET /readyz": () =>
    deps.status().ready ? { status: 200, text: "ready\n" } : { status: 503, text: "not ready\n" },
  "GET /metrics": async () => ({ status: 200, ...(await deps.metrics()) }),
});

export const controlRoutes = (deps: RoutesDependencies): Routes => ({
  "GET /status": () => json(200, deps.status()),
  "POST /drain": () => {
    deps.drain();
    return json(202, deps.status());
  },
});

const json = (status: number, value: unknown) => ({
  status,
  type: "application/json",
  text: `${JSON.stringify(value, undefined, 2)}\n`,
});
