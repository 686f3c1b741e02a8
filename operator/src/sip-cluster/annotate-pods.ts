/** Notes on running pods: the configuration, so that kubelets deliver it at once, and what the pod's end costs when some must leave. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { FleetAction } from "./fleet-action.ts";
import type { ServedCluster } from "./resource.ts";
import { deletionCost } from "./live-nodes.ts";
import type { Pod } from "./current-state.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const configurationAnnotation = "sip.strowger.dev/configuration";

export interface PodsToAnnotate {
  readonly pods: readonly Pod[];
  readonly nodes: readonly NodeRow[];
  /** Of the configuration and keys that are written now. */
  readonly hash: string;
  /** As it is before this round. */
  readonly deployment: Manifest | undefined;
}

/** Both notes belong to one writer, so each write carries both. */
export function annotatePods(
  { reference: { namespace }, replicas }: ServedCluster,
  { pods, nodes, hash, deployment }: PodsToAnnotate,
): readonly FleetAction[] {
  const mustSomeLeave = replicas < replicasOf(deployment);
  return pods.flatMap((pod) => {
    const { name, uid, annotations } = pod;
    if (!pod.isRunning || pod.isTerminating) return [];
    const cost = mustSomeLeave ? String(deletionCost(pod, nodes)) : annotations[costAnnotation];
    if (annotations[configurationAnnotation] === hash && annotations[costAnnotation] === cost) return [];
    const notes = {
      [configurationAnnotation]: hash,
      ...(cost === undefined ? {} : { [costAnnotation]: cost }),
    };
    const metadata = { namespace, name, uid, annotations: notes };
    return [{ do: "notePod", manifest: { apiVersion: "v1", kind: "Pod", metadata } }];
  });
}

const replicasOf = (deployment: Manifest | undefined): number =>
  (deployment as { readonly spec?: { readonly replicas?: number } } | undefined)?.spec?.replicas ?? 0;
