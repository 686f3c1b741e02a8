/**
 * Plans the writes in Kubernetes for a SipCluster, in this order: objects that need no address and deletions of old Services, keys,
 * configuration, annotations on the pods (so that kubelets deliver the configuration at once), the Deployment. Pure.
 */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { FleetAction } from "./fleet-action.ts";
import { buildConfiguration, configurationHash, restartHash } from "./manifests/build-configuration.ts";
import { buildDeployment } from "./manifests/build-deployment.ts";
import { buildDisruptionBudget } from "./manifests/build-disruption-budget.ts";
import { buildMetricsService } from "./manifests/build-metrics-service.ts";
import { buildNetworkPolicy } from "./manifests/build-network-policy.ts";
import { buildService } from "./manifests/build-service.ts";
import { buildServiceAccount } from "./manifests/build-service-account.ts";
import { differs, withHash } from "./manifests/differs.ts";
import { namesOf } from "./manifests/names.ts";
import { annotatePods } from "./annotate-pods.ts";
import { planAddresses, type AddressPlan } from "./plan-addresses.ts";
import type { ImageChoice } from "./plan-image.ts";
import { planKeySecret } from "./plan-key-secret.ts";
import type { ServedCluster } from "./resource.ts";
import { outdatedNodes } from "./live-nodes.ts";
import type { ClusterState, FleetState } from "./current-state.ts";

export interface FleetPlan {
  readonly actions: readonly FleetAction[];
  readonly address: AddressPlan;
  /** Why nodes cannot be created or changed; absent: they can. */
  readonly obstacle?: NewCondition;
  /** A process under way that is no problem, for the message of Ready. */
  readonly remark?: string;
}

/** `mayRun`: the database belongs to this SipCluster. Without it only objects without settings for nodes are written. */
export function planFleet(
  cluster: ServedCluster,
  state: ClusterState,
  fleet: FleetState,
  image: ImageChoice,
  mayRun: boolean,
): FleetPlan {
  const names = namesOf(cluster);
  const { live } = fleet;
  const nodes = state.database.kind === "open" ? state.database.nodes : [];
  const configuration = live.get(`ConfigMap/${names.nodes}`);
  const address = planAddresses(
    cluster,
    live.get(`Service/${names.service}`),
    configuration,
    fleet.insideRanges,
    state.now,
  );
  const taken = findTakenName(cluster, live);
  if (taken !== undefined) return { actions: [], address, obstacle: taken };
  const independent = [
    buildServiceAccount(cluster),
    buildService(cluster),
    buildMetricsService(cluster),
    buildDisruptionBudget(cluster),
    buildNetworkPolicy(cluster, fleet.metricsFrom),
  ];
  const first = [...writeChanged(independent, live), ...removeOldServices(cluster, fleet)];
  if (!mayRun) return { actions: first, address };
  const keys = planKeySecret(cluster, state, fleet, configuration);
  if ("obstacle" in keys) return { actions: first, address, obstacle: keys.obstacle };
  const { addressing, former } = address;
  if (addressing === undefined) {
    const { reason, message } = address.condition;
    return { actions: [...first, ...keys.actions], address, obstacle: notReady(reason, message) };
  }
  const settings = buildConfiguration(cluster, addressing, former);
  const hash = configurationHash(settings.data["config.json"], keys.ring);
  const { image: name } = image;
  const nodesDeployment = buildDeployment(cluster, {
    image: name,
    pull: fleet.nodePull,
    restartHash: restartHash(cluster, addressing),
  });
  const deployment = live.get(`Deployment/${names.nodes}`);
  const actions = [
    ...first,
    ...keys.actions,
    ...writeChanged([settings], live),
    ...annotatePods(cluster, { pods: fleet.pods, nodes, hash, deployment }),
    ...writeChanged([nodesDeployment], live),
  ];
  return { actions, address, ...remarkOn(nodes, hash, keys.isRotating) };
}

function writeChanged(wanted: readonly Manifest[], live: FleetState["live"]): readonly FleetAction[] {
  return wanted
    .map(withHash)
    .filter((manifest) => differs(manifest, live.get(`${manifest.kind}/${manifest.metadata.name}`)))
    .map((manifest) => ({ do: "apply", manifest }));
}

/** An object with one of our names that another owner made stays as it is. A Secret with keys is taken over: it may be a restored backup. */
function findTakenName(
  { reference, uid }: ServedCluster,
  live: FleetState["live"],
): NewCondition | undefined {
  for (const [id, { kind, metadata }] of live) {
    const { labels = {}, ownerReferences = [] } = metadata;
    const isOurs =
      kind === "Secret" ||
      labels["sip.strowger.dev/cluster"] === reference.name ||
      ownerReferences.some((owner) => owner.uid === uid);
    if (!isOurs)
      return notReady(
        "NameTaken",
        `${id.replace("/", " ")} exists and was not made for this SipCluster; remove it, or give this SipCluster another name`,
      );
  }
  return undefined;
}

/** Removes Services of an earlier `spec.service.mode`. */
function removeOldServices(cluster: ServedCluster, { services }: FleetState): readonly FleetAction[] {
  const { service, metrics } = namesOf(cluster);
  return services
    .filter(({ metadata: { name, ownerReferences = [], deletionTimestamp } }) => {
      const isOurs = ownerReferences.some(({ uid }) => uid === cluster.uid);
      return isOurs && deletionTimestamp === undefined && name !== service && name !== metrics;
    })
    .map((manifest) => ({ do: "remove", manifest }));
}

/** The nodes that a rotation or a changed configuration waits for. */
function remarkOn(
  nodes: readonly NodeRow[],
  hash: string,
  isRotating: boolean,
): { readonly remark?: string } {
  const outdated = outdatedNodes(nodes, hash).map(({ name, id }) => name || id);
  if (outdated.length > 0) {
    const who = outdated.length > 3 ? `${outdated.length} nodes` : outdated.join(", ");
    return {
      remark: `${who} still ${outdated.length === 1 ? "uses" : "use"} an earlier configuration${isRotating ? ", and the rotation of keys waits" : ""}`,
    };
  }
  return isRotating
    ? { remark: "the rotation of keys waits until every node has reported its configuration" }
    : {};
}
