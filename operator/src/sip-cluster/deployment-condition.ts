/** The condition Ready by the Deployment: how many nodes serve, and why the other nodes do not. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { notReady, ready } from "../runtime/decision.ts";
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

export interface DeploymentInput extends Pick<FleetState, "hasCredentials" | "pods"> {
  readonly nodes: readonly NodeRow[];
  /** Why MySQL refuses the login in the Secret that nodes mount. Undefined: it accepts it, or it was not tried. */
  readonly nodesLogin: string | undefined;
  /** The image of the rollout. */
  readonly image: string;
}

/** For a SipCluster with a database and an address. */
export function buildDeploymentCondition(
  cluster: SipCluster,
  deployment: Manifest | undefined,
  input: DeploymentInput,
): NewCondition {
  const wanted = cluster.replicas;
  if (wanted === 0) return notReady("ScaledToZero", "spec.replicas is 0: no node answers");
  const { generation } = (deployment?.metadata ?? {}) as { readonly generation?: number };
  const status = (deployment?.["status"] ?? {}) as DeploymentStatus;
  const isObserved = deployment !== undefined && (status.observedGeneration ?? 0) >= (generation ?? 0);
  const available = isObserved ? (status.availableReplicas ?? 0) : 0;
  const count = `${available} of ${wanted} nodes serve`;
  if (!isObserved || available < wanted)
    return notReady("NodesNotReady", [count, ...causes(cluster, status, input)].join("; "));
  const stuck = [...lastingProblems(input), ...failureOf(status)];
  if (stuck.length > 0)
    return notReady("RolloutStuck", `${count}, but new nodes do not become ready: ${stuck.join("; ")}`);
  // During a rollout there are more pods than spec.replicas.
  const isUpdated = (status.updatedReplicas ?? 0) >= wanted && (status.replicas ?? 0) <= wanted;
  if (isUpdated) return ready(count);
  const problems = podProblems(input);
  const rollout = `a rollout of ${input.image} is under way`;
  return ready([count, rollout, ...problems].join("; "));
}

/** Further causes are usually the same as these. */
const mostCauses = 2;

/** The pods' problems in Kubernetes come first: a pod that does not run reports no error itself. */
function causes({ mysql }: SipCluster, status: DeploymentStatus, input: DeploymentInput): readonly string[] {
  if (!input.hasCredentials && mysql !== undefined)
    return [`Secret ${mysql.credentialsSecret}, which spec.mysql names and nodes mount, does not exist`];
  const { nodesLogin } = input;
  return [
    ...podProblems(input),
    ...nodeErrors(input),
    ...(nodesLogin === undefined ? [] : [nodesLogin]),
    ...failureOf(status),
  ];
}

const podProblems = ({ pods }: DeploymentInput): readonly string[] =>
  grouped(
    pods.flatMap(({ name, isReady, isTerminating, problem }) =>
      problem === undefined || isReady || isTerminating ? [] : [{ name, text: problem.text }],
    ),
  );

const lastingProblems = ({ pods, ...rest }: DeploymentInput): readonly string[] =>
  podProblems({ ...rest, pods: pods.filter(({ problem }) => problem?.isLasting) });

/** Errors that nodes report themselves, of nodes that are not ready. */
function nodeErrors({ pods, nodes }: DeploymentInput): readonly string[] {
  const unready = new Set(pods.filter(({ isReady }) => !isReady).map(({ name }) => name));
  return grouped(
    nodes.flatMap(({ name, databaseError }) =>
      databaseError !== "" && unready.has(name) ? [{ name, text: databaseError }] : [],
    ),
  );
}

/** One text for each problem, with the names of its pods. */
function grouped(all: readonly { readonly name: string; readonly text: string }[]): readonly string[] {
  const byText = new Map<string, string[]>();
  for (const { name, text } of all) byText.set(text, [...(byText.get(text) ?? []), name]);
  return [...byText].slice(0, mostCauses).map(([text, names]) => {
    const others = names.length - 1;
    return `pod ${names[0] ?? ""}${others === 0 ? "" : ` and ${others} more`}: ${text}`;
  });
}

/** Pods that Kubernetes could not create, or that were not ready before the progress deadline. */
function failureOf({ conditions = [] }: DeploymentStatus): readonly string[] {
  const failed = conditions.find(
    ({ type, status }) =>
      (type === "ReplicaFailure" && status === "True") || (type === "Progressing" && status === "False"),
  );
  return failed === undefined ? [] : [failed.message ?? failed.type];
}
