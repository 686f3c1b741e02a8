/** What a node says over HTTP: probes and metrics to whoever scrapes them, status and drain on loopback only. */
import type { Pages } from "../adapters/http.ts";
import type { Stage } from "./life-cycle.ts";
import type { Ms } from "../wire/units.ts";

export interface Status {
  readonly node: string;
  readonly name: string;
  readonly version: string;
  readonly stage: Stage;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly transactions: { readonly server: number; readonly client: number };
  /** Live peers, without those that drain. */
  readonly servingPeers: number;
  readonly configurationHash: string;
  readonly configurationProblems: readonly string[];
  /** Settings as mounted that need a restart. */
  readonly configurationRestarts: readonly string[];
}

export interface RoutesDependencies {
  status(): Status;
  /** How long ago the node's clock ticked. */
  sinceTick(): Ms;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  drain(): void;
}

/** Rule 20: whoever is busy is not dead. */
const patience: Ms = 10_000;

export const publicRoutes = (deps: RoutesDependencies): Pages => ({
  "GET /healthz": () =>
    deps.sinceTick() < patience
      ? { status: 200, text: "ok\n" }
      : { status: 503, text: `no tick for ${Math.round(deps.sinceTick())} ms\n` },
  "GET /readyz": () =>
    deps.status().ready ? { status: 200, text: "ready\n" } : { status: 503, text: "not ready\n" },
  "GET /metrics": async () => ({ status: 200, ...(await deps.metrics()) }),
});

export const controlRoutes = (deps: RoutesDependencies): Pages => ({
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
