/** Marks the flows of authenticated phones in the cluster: the flow table removes them last (ADR 22). */
import type { Cluster } from "../cluster/cluster.ts";
import type { Routing } from "../proxy/routing.ts";
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";

export interface MarkDependencies {
  readonly cluster: Pick<Cluster, "markAuthenticated">;
  isPeer(flow: Flow): boolean;
}

/** The longest time between two requests of a dialog: phones refresh their sessions at least twice as often. */
const authenticatedFor: Ms = 3_600_000;

/**
 * The caller proved its identity by its credentials, or by the flow token that only the phones of its dialog have. The callees are
 * identified by their bindings or by that token. The address of a peer proves nothing, because anybody can forge it.
 */
export function markParties(from: Flow, { caller, targets }: Routing, deps: MarkDependencies): void {
  const hasToken = caller === undefined;
  if (hasToken || !deps.isPeer(from)) deps.cluster.markAuthenticated(from, authenticatedFor);
  for (const { flow } of targets) deps.cluster.markAuthenticated(flow, authenticatedFor);
}
