/**
 * Annotations on running pods. A changed configuration annotation makes the kubelet deliver the configuration at once. The deletion cost
 * tells Kubernetes which pods to delete first when the number of replicas falls. Pure.
 */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { FleetAction } from "./fleet-action.ts";
import type { ServedCluster } from "./resource.ts";
import { deletionCost } from "./live-nodes.ts";
import type { Pod } from "./current-state.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const configurationAnnotation = "sip.strowger.dev/configuration";

export interface AnnotatePodsInput {
  readonly pods: readonly Pod[];
  readonly nodes: readonly NodeRow[];
  /** Hash of the configuration and keys that this reconcile writes. */
  readonly hash: string;
  /** The Deployment before this reconcile. */
  readonly deployment: Manifest | undefined;
}

/** Both annotations have the same field manager, so each write carries both. */
export function annotatePods(
  { reference: { namespace }, replicas }: ServedCluster,
  { pods, nodes, hash, deployment }: AnnotatePodsInput,
): readonly FleetAction[] {
  const isScaledDown = replicas < replicasOf(deployment);
  return pods.flatMap((pod) => {
    const { name, uid, annotations } = pod;
    if (!pod.isRunning || pod.isTerminating) return [];
    const cost = isScaledDown ? String(deletionCost(pod, nodes)) : annotations[costAnnotation];
    if (annotations[configurationAnnotation] === hash && annotations[costAnnotation] === cost) return [];
    const wanted = {
      [configurationAnnotation]: hash,
      ...(cost === undefined ? {} : { [costAnnotation]: cost }),
    };
    const metadata = { namespace, name, uid, annotations: wanted };
    return [{ do: "annotatePod", manifest: { apiVersion: "v1", kind: "Pod", metadata } }];
  });
}

const replicasOf = (deployment: Manifest | undefined): number =>
  (deployment as { readonly spec?: { readonly replicas?: number } } | undefined)?.spec?.replicas ?? 0;
