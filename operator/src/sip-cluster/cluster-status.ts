/** How a SipCluster is: its conditions, and the fields of its status. Pure. */
import type { LoginProblems } from "../installations.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { ready, notReady } from "../runtime/decision.ts";
import type { SipClusterStatus } from "../sources/types.ts";
import { dnsRecords } from "./dns-records.ts";
import type { DatabaseAssessment } from "./assess-database.ts";
import { buildDeploymentCondition } from "./deployment-condition.ts";
import { buildAnsweringCondition, buildReachableCondition } from "./reachability-conditions.ts";
import { buildTrafficCondition } from "./traffic-condition.ts";
import { selectorText } from "./manifests/names.ts";
import type { FleetPlan } from "./plan-fleet.ts";
import { versionOf, type ImageChoice } from "./plan-image.ts";
import type { SipCluster } from "./resource.ts";
import { liveNodes } from "./live-nodes.ts";
import { deploymentOf, type ClusterState, type FleetState } from "./current-state.ts";

/** Undefined takes one of these out of the status. */
type Absent = "installationId" | "image" | "version";

export interface Said {
  readonly ready: NewCondition;
  /** The other conditions. */
  readonly others: readonly NewCondition[];
  /** Fields of the status beside the conditions. */
  readonly status: Omit<SipClusterStatus, Absent> & {
    readonly [Field in Absent]?: string | undefined;
  };
}

/** With a folder of files the exchange's nodes and address are somebody else's. */
export function sayFiles(
  cluster: SipCluster,
  { database }: ClusterState,
  { is, condition }: DatabaseAssessment,
): Said {
  const { advertised } = cluster;
  if (database.kind !== "open" || is === "not ours")
    return {
      ready: asReady(condition),
      others: [],
      status: is === "not ours" ? withoutDatabase(cluster) : {},
    };
  return {
    ready: condition.status === "True" ? ready(condition.message) : asReady(condition),
    others: [],
    status: {
      installationId: database.installationId,
      nodes: liveNodes(database.nodes).length,
      addresses: advertised === undefined ? [] : [{ transport: "udp", ...advertised }],
    },
  };
}

export interface Found {
  readonly database: DatabaseAssessment;
  readonly plan: FleetPlan | undefined;
  readonly image: ImageChoice;
  /** The image that nodes served with last; undefined: none did yet. */
  readonly served: string | undefined;
}

export function sayCluster(
  cluster: SipCluster,
  world: ClusterState,
  fleet: FleetState,
  { database, plan, image, served }: Found,
): Said {
  const isOurs = database.is === "ours" || database.is === "take";
  const traffic = buildTrafficCondition(fleet.traffic, (id) => nameOf(world, id));
  const hasReadyNodes = fleet.pods.some((pod) => pod.isReady && !pod.isTerminating);
  const nodes = world.database.kind === "open" ? world.database.nodes : [];
  return {
    ready: readyCondition(cluster, world, fleet, { database, plan, image }),
    others: [
      database.condition,
      ...(plan === undefined ? [] : [plan.address.condition]),
      ...unlessSaid(world, buildAnsweringCondition(fleet.probe, hasReadyNodes), notYet.Answering),
      ...(isOurs ? [buildReachableCondition(nodes, fleet.insideRanges.length > 0)] : []),
      ...unlessSaid(world, traffic, notYet.TrafficOnOneNode),
    ],
    status: {
      selector: selectorText(cluster.reference.name),
      image: served,
      version: served && versionOf(served),
      ...addressStatus(plan, fleet),
      ...(isOurs ? figures(world) : {}),
      ...(database.is === "not ours" ? withoutDatabase(cluster) : {}),
    },
  };
}

/** While the annotation that took a database stands, the id tells that it was served. */
const withoutDatabase = ({ takeOver }: SipCluster): { readonly installationId?: undefined } =>
  takeOver === undefined ? { installationId: undefined } : {};

const notYet = {
  Answering: {
    type: "Answering",
    status: "Unknown",
    reason: "NotAskedYet",
    message: "no node was asked yet; only IPv4 addresses are",
  },
  TrafficOnOneNode: {
    type: "TrafficOnOneNode",
    status: "Unknown",
    reason: "NotWatchedYet",
    message: "it takes five minutes to tell",
  },
} as const;

/** An operator that has just begun knows nothing yet, and what the one before has found still counts. */
function unlessSaid(
  { status }: ClusterState,
  found: NewCondition | undefined,
  otherwise: NewCondition,
): readonly NewCondition[] {
  if (found !== undefined) return [found];
  return status.conditions?.some(({ type }) => type === otherwise.type) === true ? [] : [otherwise];
}

/** The first thing that is in the way. */
function readyCondition(
  cluster: SipCluster,
  world: ClusterState,
  fleet: FleetState,
  { database, plan, image }: Omit<Found, "served">,
): NewCondition {
  if (database.condition.status === "False" && database.is !== "unknown") return asReady(database.condition);
  if (plan?.obstacle !== undefined) return plan.obstacle;
  if (database.condition.status === "False") return asReady(database.condition);
  const { nodes, login } = world.database.kind === "open" ? world.database : { nodes: [], login: {} };
  const situation = { ...fleet, nodes, nodesLogin: sayNodesLogin(cluster, login), image: image.image };
  const verdict = buildDeploymentCondition(cluster, deploymentOf(cluster, fleet), situation);
  return plan?.remark === undefined ? verdict : { ...verdict, message: `${verdict.message}; ${plan.remark}` };
}

const sayNodesLogin = ({ mysql }: SipCluster, { nodes }: LoginProblems): string | undefined =>
  nodes && `the login in Secret ${mysql?.credentialsSecret ?? ""}, which nodes mount: ${nodes.message}`;

const asReady = ({ reason, message }: NewCondition): NewCondition => notReady(reason, message);

function addressStatus(plan: FleetPlan | undefined, { domains }: FleetState): SipClusterStatus {
  const advertised = plan?.address.addressing?.advertised;
  if (advertised === undefined) return { addresses: [], dnsRecords: [] };
  const { host, port } = advertised;
  return { addresses: [{ transport: "udp", host, port }], dnsRecords: dnsRecords(advertised, domains) };
}

function figures({ database }: ClusterState): SipClusterStatus {
  if (database.kind !== "open") return {};
  const { installationId, nodes, registrations } = database;
  const live = liveNodes(nodes);
  const counted = {
    installationId,
    nodes: live.length,
    readyNodes: live.filter(({ isDraining }) => !isDraining).length,
  };
  // They change all the time: written when they are counted, not each time anything is looked at.
  if (registrations === undefined) return counted;
  return {
    ...counted,
    registrations,
    callsPerMinute: live.reduce((sum, { callsPerMinute }) => sum + callsPerMinute, 0),
  };
}

function nameOf({ database }: ClusterState, id: string): string {
  const node = database.kind === "open" ? database.nodes.find((other) => other.id === id) : undefined;
  return node?.name || id;
}
