/** A database belongs to one SipCluster (design: truth, names, ownership, rule 1). */
import { isReady, notReady, type Decision } from "../runtime/decision.ts";
import type { SipCluster } from "./resource.ts";
import type { ClusterWorld } from "./world.ts";

export type ClusterAction = { readonly do: "takeDatabase" } | { readonly do: "releaseDatabase" };

/** Nodes come and go without telling the operator. */
const recount = 5_000;

export function decide(
  cluster: SipCluster,
  { holder, installationId, liveNodes }: ClusterWorld,
): Decision<ClusterAction> {
  const { namespace, name } = cluster.reference;
  if (holder !== undefined && (holder.namespace !== namespace || holder.name !== name)) {
    const who =
      holder.namespace === namespace ? `SipCluster ${holder.name}` : "a SipCluster of another namespace";
    return {
      actions: [],
      ready: notReady("DatabaseTaken", `the database belongs to ${who}; one database serves one SipCluster`),
      status: {},
    };
  }
  return {
    actions: holder?.uid === cluster.uid ? [] : [{ do: "takeDatabase" }],
    ready: isReady("the database is this cluster's"),
    status: { installationId, nodes: liveNodes, addresses: cluster.addresses },
    requeueAfter: recount,
  };
}

/** Its domains and users have owners of their own and stay. */
export const decideRemoval = (): readonly ClusterAction[] => [{ do: "releaseDatabase" }];
