/** Carries out what was decided about a SipCluster, in one transaction. */
import {
  setClusterOfDatabase,
  type ClusterIdentity,
  type Installation,
} from "../adapters/mysql/installation.ts";
import type { ClusterAction } from "./decide.ts";

export async function apply(
  actions: readonly ClusterAction[],
  cluster: ClusterIdentity,
  installation: Installation,
): Promise<void> {
  if (actions.length === 0) return;
  await installation.write(async (change) => {
    for (const action of actions)
      await setClusterOfDatabase(change, action.do === "takeDatabase" ? cluster : undefined);
  });
}
