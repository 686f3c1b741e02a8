/** How many nodes serve, by the Deployment's own figures. Pure. */
import { isReady, notReady } from "../runtime/decision.ts";
import type { Verdict } from "../runtime/condition.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { SipCluster } from "./resource.ts";
import type { FleetWorld } from "./world.ts";

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly availableReplicas?: number;
  readonly updatedReplicas?: number;
  readonly replicas?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
  }[];
}

/** The condition `Ready`, where database and address are there. */
export function judgeDeployment(
  cluster: SipCluster,
  deployment: Manifest | undefined,
  { hasCredentials }: Pick<FleetWorld, "hasCredentials">,
): Verdict {
  const wanted = cluster.replicas;
  if (wanted === 0) return notReady("ScaledToZero", "spec.replicas is 0: nobody answers");
  const { generation } = (deployment?.metadata ?? {}) as { readonly generation?: number };
  const status = (deployment?.["status"] ?? {}) as DeploymentStatus;
  const isSeen = deployment !== undefined && (status.observedGeneration ?? 0) >= (generation ?? 0);
  const available = isSeen ? (status.availableReplicas ?? 0) : 0;
  if (isSeen && available >= wanted) {
    const stuck = failureOf(status);
    if (stuck !== undefined)
      return notReady("RolloutStuck", `${wanted} of ${wanted} nodes serve, but new ones do not: ${stuck}`);
    // While a rollout goes on there are more pods than wanted.
    const isRenewed = (status.updatedReplicas ?? 0) >= wanted && (status.replicas ?? 0) <= wanted;
    return isReady(`${wanted} of ${wanted} nodes serve${isRenewed ? "" : "; a rollout is under way"}`);
  }
  return notReady(
    "NodesNotReady",
    `${available} of ${wanted} nodes serve${why(cluster, status, hasCredentials)}`,
  );
}

function why(cluster: SipCluster, status: DeploymentStatus, hasCredentials: boolean): string {
  if (!hasCredentials && cluster.mysql !== undefined)
    return `; Secret ${cluster.mysql.credentialsSecret}, which spec.mysql names and nodes mount, is not there`;
  const failed = failureOf(status);
  return failed === undefined ? "" : `; ${failed}`;
}

/** Pods that cannot be made, or are not ready by the progress deadline. */
function failureOf({ conditions = [] }: DeploymentStatus): string | undefined {
  const failed = conditions.find(
    ({ type, status }) =>
      (type === "ReplicaFailure" && status === "True") || (type === "Progressing" && status === "False"),
  );
  return failed && (failed.message ?? failed.type);
}
