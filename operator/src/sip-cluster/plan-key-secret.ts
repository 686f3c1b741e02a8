/** Plans the Secret with the keys: created once, rotated on request, taken over from a backup, and never replaced while nodes use it. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { FleetAction } from "./fleet-action.ts";
import { configurationHash } from "./manifests/build-configuration.ts";
import { buildKeys } from "./manifests/build-keys.ts";
import { differs } from "./manifests/differs.ts";
import { namesOf } from "./manifests/names.ts";
import { planKeys, rotationAnnotation, type KeyPlan } from "./plan-keys.ts";
import type { ServedCluster } from "./resource.ts";
import { haveAllApplied } from "./live-nodes.ts";
import type { ClusterState, FleetState } from "./current-state.ts";

export type KeySecretPlan =
  | {
      /** The content of the mounted file after the actions. */
      readonly ring: string;
      readonly isRotating: boolean;
      readonly actions: readonly FleetAction[];
    }
  | { readonly obstacle: NewCondition };

/** `configuration`: the ConfigMap in Kubernetes. Nodes report a hash of it and of the keys. */
export function planKeySecret(
  cluster: ServedCluster,
  state: ClusterState,
  fleet: FleetState,
  configuration: Manifest | undefined,
): KeySecretPlan {
  const nodes = state.database.kind === "open" ? state.database.nodes : undefined;
  const plan = planRing(cluster, state, fleet, nodes, configuration);
  // Without keys, a scale-down to 0 must still work: it is the way to new keys.
  if (plan.kind === "missing" && cluster.replicas === 0) return { ring: "", isRotating: false, actions: [] };
  if (plan.kind === "missing" || plan.kind === "broken") return { obstacle: obstacleOf(cluster, plan) };
  return {
    ring: plan.ring,
    isRotating: plan.kind === "keep" && plan.isRotating,
    actions: keyActions(cluster, plan, fleet.live.get(`Secret/${namesOf(cluster).keys}`)),
  };
}

function planRing(
  cluster: ServedCluster,
  state: ClusterState,
  { live, pods, freshKey }: FleetState,
  nodes: readonly NodeRow[] | undefined,
  configuration: Manifest | undefined,
): KeyPlan {
  const secret = live.get(`Secret/${namesOf(cluster).keys}`);
  return planKeys({
    secret,
    rotation: cluster.rotation,
    fresh: freshKey,
    // Nodes that are leaving do not count. They may belong to an earlier SipCluster of this name.
    areNodesLive:
      (nodes ?? []).some(({ isDraining }) => !isDraining) ||
      pods.some(({ isReady, isTerminating }) => isReady && !isTerminating),
    haveAllApplied: nodes !== undefined && haveAllApplied(nodes, pods, hashOf(configuration, secret)),
    now: state.now,
  });
}

/** The hash of the files that are mounted now. */
function hashOf(configuration: Manifest | undefined, secret: Manifest | undefined): string {
  type Data = { readonly data?: Readonly<Record<string, string>> } | undefined;
  const config = (configuration as Data)?.data?.["config.json"] ?? "";
  const keys = (secret as Data)?.data?.["keys.json"] ?? "";
  return configurationHash(config, Buffer.from(keys, "base64").toString("utf8"));
}

function obstacleOf(
  cluster: ServedCluster,
  plan: Extract<KeyPlan, { readonly kind: "missing" | "broken" }>,
): NewCondition {
  const { keys } = namesOf(cluster);
  return plan.kind === "broken"
    ? notReady("KeysInvalid", `Secret ${keys}: ${plan.why}; restore it from a backup`)
    : notReady(
        "KeysMissing",
        `Secret ${keys} is missing while nodes use it; restore it from a backup. Without a backup, scale to 0 and, after the nodes have ended, scale up again: then new keys are made, phones register again, and established calls cannot be modified any more`,
      );
}

function keyActions(
  cluster: ServedCluster,
  plan: Extract<KeyPlan, { readonly ring: string }>,
  before: Manifest | undefined,
): readonly FleetAction[] {
  if (plan.kind === "keep") return adoptKeys(cluster, plan.ring, before);
  if (plan.kind === "create")
    return [{ do: "create", manifest: buildKeys(cluster, plan.ring, plan.rotation) }];
  const { message } = plan;
  return [
    { do: "apply", manifest: buildKeys(cluster, plan.ring, plan.rotation, before) },
    ...(message === undefined
      ? []
      : [{ do: "recordEvent", event: { type: "Normal", reason: "KeyRotation", message } } as const]),
  ];
}

/** Keys from a backup or from an earlier SipCluster of this name get this SipCluster as their owner, so that they are not deleted with the old one. */
function adoptKeys(
  cluster: ServedCluster,
  ring: string,
  before: Manifest | undefined,
): readonly FleetAction[] {
  const rotation = before?.metadata.annotations?.[rotationAnnotation];
  if (!differs(buildKeys(cluster, ring, rotation), before)) return [];
  return [{ do: "apply", manifest: buildKeys(cluster, ring, rotation, before) }];
}
