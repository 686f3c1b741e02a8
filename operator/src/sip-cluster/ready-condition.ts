/** The condition Ready of a SipCluster: the first obstacle, or the state of its Deployment. Pure. */
import type { LoginProblems } from "../installations.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady, ready } from "../runtime/decision.ts";
import type { DatabaseAssessment } from "./assess-database.ts";
import { deploymentOf, type ClusterState, type FleetState } from "./current-state.ts";
import { buildDeploymentCondition } from "./deployment-condition.ts";
import type { FleetPlan } from "./plan-fleet.ts";
import type { ImageChoice } from "./plan-image.ts";
import type { SipCluster } from "./resource.ts";

/** With a folder of files it follows from the database alone. */
export const buildReadyWithoutFleet = (
  { database }: ClusterState,
  { is, condition }: DatabaseAssessment,
): NewCondition =>
  database.kind === "open" && is !== "not ours" && condition.status === "True"
    ? ready(condition.message)
    : asReady(condition);

export interface ReadyInput {
  readonly database: DatabaseAssessment;
  readonly plan: FleetPlan | undefined;
  readonly image: ImageChoice;
}

/** A database that only cannot be reached comes after the obstacles of the plan, because the nodes may still serve. */
export function buildReadyCondition(
  cluster: SipCluster,
  state: ClusterState,
  fleet: FleetState,
  { database, plan, image }: ReadyInput,
): NewCondition {
  if (database.condition.status === "False" && database.is !== "unknown") return asReady(database.condition);
  if (plan?.obstacle !== undefined) return plan.obstacle;
  if (database.condition.status === "False") return asReady(database.condition);
  const { nodes, login } = state.database.kind === "open" ? state.database : { nodes: [], login: {} };
  const nodesLogin = describeNodesLogin(cluster, login);
  const condition = buildDeploymentCondition(cluster, deploymentOf(cluster, fleet), {
    ...fleet,
    nodes,
    nodesLogin,
    image: image.image,
  });
  return plan?.remark === undefined
    ? condition
    : { ...condition, message: `${condition.message}; ${plan.remark}` };
}

const describeNodesLogin = ({ mysql }: SipCluster, { nodes }: LoginProblems): string | undefined =>
  nodes && `the login in Secret ${mysql?.credentialsSecret ?? ""}, which nodes mount: ${nodes.message}`;

const asReady = ({ reason, message }: NewCondition): NewCondition => notReady(reason, message);
