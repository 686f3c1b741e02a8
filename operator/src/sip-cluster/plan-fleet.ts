/**
 * What is to be done in Kubernetes for a SipCluster, in this order: what needs no address, keys, configuration, a note on every pod so that
 * its kubelet delivers them at once, what a pod's end costs where some must leave, the Deployment, and what is no longer wanted. Pure.
 */
import type { Verdict } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { Event } from "../runtime/source.ts";
import { buildConfiguration, configurationHash, restartHash } from "./manifests/build-configuration.ts";
import { buildDeployment } from "./manifests/build-deployment.ts";
import { buildDisruptionBudget } from "./manifests/build-disruption-budget.ts";
import { buildKeys } from "./manifests/build-keys.ts";
import { buildMetricsService } from "./manifests/build-metrics-service.ts";
import { buildNetworkPolicy } from "./manifests/build-network-policy.ts";
import { buildService } from "./manifests/build-service.ts";
import { buildServiceAccount } from "./manifests/build-service-account.ts";
import { differs, withNote } from "./manifests/differs.ts";
import { namesOf } from "./manifests/names.ts";
import { planAddresses, type AddressPlan } from "./plan-addresses.ts";
import type { ImageChoice } from "./plan-image.ts";
import { planKeys, rotationAnnotation, type KeyPlan } from "./plan-keys.ts";
import type { ServedCluster } from "./resource.ts";
import { deletionCost, haveAllSeen, laggards } from "./see-nodes.ts";
import type { ClusterWorld, FleetWorld, OpenDatabase, Pod } from "./world.ts";

export type FleetAction =
  | { readonly do: "apply" | "create" | "remove"; readonly manifest: Manifest }
  /** A note on a pod, which may be gone by now. */
  | { readonly do: "notePod"; readonly manifest: Manifest }
  | { readonly do: "tell"; readonly event: Event };

export interface FleetPlan {
  readonly actions: readonly FleetAction[];
  readonly address: AddressPlan;
  /** Why nodes cannot be made or changed; absent: they can. */
  readonly hindrance?: Verdict;
  /** What goes on although all is well. */
  readonly remark?: string;
}

export const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
export const configurationAnnotation = "sip.strowger.dev/configuration";

/** `mayRun`: the database is this cluster's. Without it only what tells nodes nothing is made. */
export function planFleet(
  cluster: ServedCluster,
  world: ClusterWorld,
  fleet: FleetWorld,
  image: ImageChoice,
  mayRun: boolean,
): FleetPlan {
  const names = namesOf(cluster);
  const { live } = fleet;
  const nodes = world.database.kind === "open" ? world.database.nodes : undefined;
  const configuration = live.get(`ConfigMap/${names.nodes}`);
  const address = planAddresses(
    cluster,
    live.get(`Service/${names.service}`),
    configuration,
    fleet.insideRanges,
    world.now,
  );
  const taken = strangers(cluster, live);
  if (taken !== undefined) return { actions: [], address, hindrance: taken };
  const surroundings = [
    buildServiceAccount(cluster),
    buildService(cluster),
    buildMetricsService(cluster),
    buildDisruptionBudget(cluster),
    buildNetworkPolicy(cluster, fleet.metricsFrom),
  ];
  const first = [...write(surroundings, live), ...leftovers(cluster, fleet)];
  if (!mayRun) return { actions: first, address };
  const keys = keysPlan(cluster, world, fleet, nodes, configuration);
  const hindrance = keysHindrance(cluster, keys);
  if (hindrance !== undefined || keys.kind === "missing" || keys.kind === "broken")
    return { actions: first, address, ...(hindrance === undefined ? {} : { hindrance }) };
  const withKeys = [...first, ...keyActions(cluster, keys, live.get(`Secret/${names.keys}`))];
  const { addressing, former } = address;
  if (addressing === undefined)
    return {
      actions: withKeys,
      address,
      hindrance: notReady(address.verdict.reason, address.verdict.message),
    };
  const settings = buildConfiguration(cluster, addressing, former);
  const { data } = settings as unknown as { readonly data: Readonly<Record<string, string>> };
  const hash = configurationHash(data["config.json"] ?? "", keys.ring);
  const deployment = buildDeployment(cluster, {
    image: image.image,
    restartHash: restartHash(cluster, addressing),
  });
  const actions = [
    ...withKeys,
    ...write([settings], live),
    ...notePods(cluster, fleet.pods, nodes, hash, replicasOf(live.get(`Deployment/${names.nodes}`))),
    ...write([deployment], live),
  ];
  return { actions, address, ...remarkOn(nodes, hash, keys) };
}

/** Whom a rotation or a changed configuration waits for. */
function remarkOn(nodes: Nodes, hash: string, keys: KeyPlan): { readonly remark?: string } {
  const late = laggards(nodes ?? [], hash).map(({ name, id }) => name || id);
  const isRotating = keys.kind === "keep" && keys.isRotating;
  if (late.length > 0) {
    const who = late.length > 3 ? `${late.length} nodes` : late.join(", ");
    return {
      remark: `${who} ${late.length === 1 ? "goes" : "go"} by an earlier configuration${isRotating ? ", and the rotation of keys waits" : ""}`,
    };
  }
  return isRotating
    ? { remark: "the rotation of keys waits until every node has stated its configuration" }
    : {};
}

function write(wanted: readonly Manifest[], live: FleetWorld["live"]): readonly FleetAction[] {
  return wanted
    .map(withNote)
    .filter((manifest) => differs(manifest, live.get(`${manifest.kind}/${manifest.metadata.name}`)))
    .map((manifest) => ({ do: "apply", manifest }));
}

/** An object of one of our names that somebody else made is left alone. Keys are taken from whomever: that is how a backup comes back. */
function strangers({ reference, uid }: ServedCluster, live: FleetWorld["live"]): Verdict | undefined {
  for (const [id, { kind, metadata }] of live) {
    const { labels = {}, ownerReferences = [] } = metadata;
    const isOurs =
      kind === "Secret" ||
      labels["sip.strowger.dev/cluster"] === reference.name ||
      ownerReferences.some((owner) => owner.uid === uid);
    if (!isOurs)
      return notReady(
        "NameTaken",
        `${id.replace("/", " ")} is there and was not made for this SipCluster; remove it, or give this SipCluster another name`,
      );
  }
  return undefined;
}

/** Services of another mode than now. */
function leftovers(cluster: ServedCluster, { services }: FleetWorld): readonly FleetAction[] {
  const { service, metrics } = namesOf(cluster);
  return services
    .filter(({ metadata: { name, ownerReferences = [], deletionTimestamp } }) => {
      const isOurs = ownerReferences.some(({ uid }) => uid === cluster.uid);
      return isOurs && deletionTimestamp === undefined && name !== service && name !== metrics;
    })
    .map((manifest) => ({ do: "remove", manifest }));
}

type Nodes = OpenDatabase["nodes"] | undefined;

function keysPlan(
  cluster: ServedCluster,
  world: ClusterWorld,
  { live, pods, freshKey }: FleetWorld,
  nodes: Nodes,
  configuration: Manifest | undefined,
): KeyPlan {
  const secret = live.get(`Secret/${namesOf(cluster).keys}`);
  return planKeys({
    secret,
    rotation: cluster.rotation,
    fresh: freshKey,
    // Those that are leaving, such as an earlier SipCluster's of this name, take their keys with them.
    areNodesLive:
      (nodes ?? []).some(({ isDraining }) => !isDraining) ||
      pods.some(({ isReady, isTerminating }) => isReady && !isTerminating),
    haveAllSeen: nodes !== undefined && haveAllSeen(nodes, pods, hashOf(configuration, secret)),
    now: world.now,
  });
}

/** Of what is mounted now. */
function hashOf(configuration: Manifest | undefined, secret: Manifest | undefined): string {
  type Data = { readonly data?: Readonly<Record<string, string>> } | undefined;
  const config = (configuration as Data)?.data?.["config.json"] ?? "";
  const keys = (secret as Data)?.data?.["keys.json"] ?? "";
  return configurationHash(config, Buffer.from(keys, "base64").toString("utf8"));
}

function keysHindrance(cluster: ServedCluster, plan: KeyPlan): Verdict | undefined {
  const { keys } = namesOf(cluster);
  if (plan.kind === "missing")
    return notReady(
      "KeysMissing",
      `Secret ${keys} is gone while nodes live by it; bring it back from a backup. If there is none, scale to 0 and back: new keys are made, phones log in again and established calls cannot be changed any more`,
    );
  if (plan.kind === "broken")
    return notReady("KeysInvalid", `Secret ${keys}: ${plan.why}; bring it back from a backup`);
  return undefined;
}

function keyActions(
  cluster: ServedCluster,
  plan: Extract<KeyPlan, { readonly ring: string }>,
  before: Manifest | undefined,
): readonly FleetAction[] {
  if (plan.kind === "keep") return adoptKeys(cluster, plan.ring, before);
  if (plan.kind === "create")
    return [{ do: "create", manifest: buildKeys(cluster, plan.ring, plan.rotation) }];
  const { says } = plan;
  return [
    { do: "apply", manifest: buildKeys(cluster, plan.ring, plan.rotation, before) },
    ...(says === undefined
      ? []
      : [{ do: "tell", event: { type: "Normal", reason: "KeyRotation", message: says } } as const]),
  ];
}

/** Keys that came from a backup or from an earlier SipCluster of this name would go with their owner of then. */
function adoptKeys(
  cluster: ServedCluster,
  ring: string,
  before: Manifest | undefined,
): readonly FleetAction[] {
  const rotation = before?.metadata.annotations?.[rotationAnnotation];
  if (!differs(buildKeys(cluster, ring, rotation), before)) return [];
  return [{ do: "apply", manifest: buildKeys(cluster, ring, rotation, before) }];
}

const replicasOf = (deployment: Manifest | undefined): number =>
  (deployment as { readonly spec?: { readonly replicas?: number } } | undefined)?.spec?.replicas ?? 0;

/** Both notes belong to one writer, so each write carries both. */
function notePods(
  cluster: ServedCluster,
  pods: readonly Pod[],
  nodes: Nodes,
  hash: string,
  replicasBefore: number,
): readonly FleetAction[] {
  const mustSomeLeave = cluster.replicas < replicasBefore;
  return pods.flatMap(({ name, uid, annotations, ...pod }) => {
    if (!pod.isRunning || pod.isTerminating) return [];
    const cost = mustSomeLeave
      ? String(deletionCost({ name, uid, annotations, ...pod }, nodes ?? []))
      : annotations[costAnnotation];
    if (annotations[configurationAnnotation] === hash && annotations[costAnnotation] === cost) return [];
    const notes = {
      [configurationAnnotation]: hash,
      ...(cost === undefined ? {} : { [costAnnotation]: cost }),
    };
    const metadata = { namespace: cluster.reference.namespace, name, uid, annotations: notes };
    return [{ do: "notePod", manifest: { apiVersion: "v1", kind: "Pod", metadata } }];
  });
}
