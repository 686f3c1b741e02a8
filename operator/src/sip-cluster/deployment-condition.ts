/** How many nodes serve, by the Deployment's own figures, and what keeps the others from it. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { ready, notReady } from "../runtime/decision.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { SipCluster } from "./resource.ts";
import type { FleetState } from "./current-state.ts";

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

export interface DeploymentSituation extends Pick<FleetState, "hasCredentials" | "pods"> {
  readonly nodes: readonly NodeRow[];
  /** Why the login in the Secret that nodes mount is refused; undefined: it is not, or nobody tried it. */
  readonly nodesLogin: string | undefined;
  /** The image that the nodes are to run. */
  readonly image: string;
}

/** The condition `Ready`, where database and address are there. */
export function buildDeploymentCondition(
  cluster: SipCluster,
  deployment: Manifest | undefined,
  situation: DeploymentSituation,
): NewCondition {
  const wanted = cluster.replicas;
  if (wanted === 0) return notReady("ScaledToZero", "spec.replicas is 0: nobody answers");
  const { generation } = (deployment?.metadata ?? {}) as { readonly generation?: number };
  const status = (deployment?.["status"] ?? {}) as DeploymentStatus;
  const isSeen = deployment !== undefined && (status.observedGeneration ?? 0) >= (generation ?? 0);
  const available = isSeen ? (status.availableReplicas ?? 0) : 0;
  const counted = `${available} of ${wanted} nodes serve`;
  if (!isSeen || available < wanted)
    return notReady("NodesNotReady", [counted, ...causes(cluster, status, situation)].join("; "));
  const stuck = [...lastingTroubles(situation), ...failureOf(status)];
  if (stuck.length > 0)
    return notReady("RolloutStuck", `${counted}, but new ones do not: ${stuck.join("; ")}`);
  // While a rollout goes on there are more pods than wanted.
  const isRenewed = (status.updatedReplicas ?? 0) >= wanted && (status.replicas ?? 0) <= wanted;
  if (isRenewed) return ready(counted);
  const waits = troubles(situation);
  const rollout = `a rollout of ${situation.image} is under way`;
  return ready([counted, rollout, ...waits].join("; "));
}

/** More than these are the same, as a rule. */
const mostCauses = 2;

/** What Kubernetes says of the pods comes first: a pod that does not run has no error of its own. */
function causes(
  { mysql }: SipCluster,
  status: DeploymentStatus,
  situation: DeploymentSituation,
): readonly string[] {
  if (!situation.hasCredentials && mysql !== undefined)
    return [`Secret ${mysql.credentialsSecret}, which spec.mysql names and nodes mount, is not there`];
  const { nodesLogin } = situation;
  return [
    ...troubles(situation),
    ...ownErrors(situation),
    ...(nodesLogin === undefined ? [] : [nodesLogin]),
    ...failureOf(status),
  ];
}

const troubles = ({ pods }: DeploymentSituation): readonly string[] =>
  grouped(
    pods.flatMap(({ name, isReady, isTerminating, trouble }) =>
      trouble === undefined || isReady || isTerminating ? [] : [{ name, text: trouble.text }],
    ),
  );

const lastingTroubles = ({ pods, ...rest }: DeploymentSituation): readonly string[] =>
  troubles({ ...rest, pods: pods.filter(({ trouble }) => trouble?.isLasting) });

/** What nodes that are not ready state themselves. */
function ownErrors({ pods, nodes }: DeploymentSituation): readonly string[] {
  const unready = new Set(pods.filter(({ isReady }) => !isReady).map(({ name }) => name));
  return grouped(
    nodes.flatMap(({ name, databaseError }) =>
      databaseError !== "" && unready.has(name) ? [{ name, text: databaseError }] : [],
    ),
  );
}

/** One line for each text, with the pods that have it. */
function grouped(all: readonly { readonly name: string; readonly text: string }[]): readonly string[] {
  const byText = new Map<string, string[]>();
  for (const { name, text } of all) byText.set(text, [...(byText.get(text) ?? []), name]);
  return [...byText].slice(0, mostCauses).map(([text, names]) => {
    const others = names.length - 1;
    return `pod ${names[0] ?? ""}${others === 0 ? "" : ` and ${others} more`}: ${text}`;
  });
}

/** Pods that cannot be made, or are not ready by the progress deadline. */
function failureOf({ conditions = [] }: DeploymentStatus): readonly string[] {
  const failed = conditions.find(
    ({ type, status }) =>
      (type === "ReplicaFailure" && status === "True") || (type === "Progressing" && status === "False"),
  );
  return failed === undefined ? [] : [failed.message ?? failed.type];
}
