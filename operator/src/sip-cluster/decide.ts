/** What to do about a SipCluster, and how it is. Pure; each question has a file of its own. */
import { isReady, notReady } from "../runtime/decision.ts";
import type { Ms } from "../runtime/clock.ts";
import type { Verdict } from "../runtime/condition.ts";
import type { SipClusterStatus } from "../sources/types.ts";
import { dnsRecords } from "./dns-records.ts";
import type { FleetAction } from "./fleet-action.ts";
import { judgeDatabase, type DatabaseJudgement } from "./judge-database.ts";
import { judgeDeployment } from "./judge-deployment.ts";
import { judgeAnswering, judgeReachable } from "./judge-reach.ts";
import { judgeTraffic } from "./judge-traffic.ts";
import { namesOf, selectorText } from "./manifests/names.ts";
import { planFleet, type FleetPlan } from "./plan-fleet.ts";
import { planImage, type ImageChoice } from "./plan-image.ts";
import { isServed, type SipCluster } from "./resource.ts";
import { liveNodes } from "./see-nodes.ts";
import type { ClusterWorld, FleetWorld } from "./world.ts";

export type ClusterAction =
  | { readonly do: "takeDatabase" }
  | { readonly do: "releaseDatabase" }
  | FleetAction;

export interface ClusterDecision {
  /** In this order. */
  readonly actions: readonly ClusterAction[];
  readonly ready: Verdict;
  /** The other conditions. */
  readonly others: readonly Verdict[];
  /** While it is being deleted, so that its database is let go. Absent: as it is, for nobody knows whose the database is. */
  readonly isHeldBack?: boolean;
  /** Fields of the status beside the conditions. */
  readonly status: SipClusterStatus;
  readonly requeueAfter: Ms;
}

/** Nodes come and go without telling the operator. */
const recount: Ms = 5_000;

export function decide(cluster: SipCluster, world: ClusterWorld): ClusterDecision {
  const database = judgeDatabase(cluster, world.database);
  const { fleet } = world;
  const take = database.is === "take" ? takeOver(world) : [];
  const requeueAfter = Math.max(recount, database.lookAgain ?? 0);
  const isHeldBack = database.is === "ours" || database.is === "take";
  const common = { requeueAfter, ...(database.is === "unknown" ? {} : { isHeldBack }) };
  if (fleet === undefined) return { actions: take, ...sayFiles(cluster, world, database), ...common };
  const image = planImage(cluster, world.status.image ?? imageOf(cluster, fleet), fleet.defaultImage);
  const plan = isServed(cluster)
    ? planFleet(cluster, world, fleet, image, mayRun(cluster, fleet, database))
    : undefined;
  return {
    actions: [...take, ...(plan?.actions ?? [])],
    ...say(cluster, world, fleet, { database, plan, image }),
    ...common,
  };
}

function takeOver({ database }: ClusterWorld): readonly ClusterAction[] {
  const holder = database.kind === "open" ? database.holder : undefined;
  if (holder === undefined) return [{ do: "takeDatabase" }];
  const message =
    "took over a database that belonged to another SipCluster, or to an earlier one of this name";
  return [
    { do: "takeDatabase" },
    { do: "tell", event: { type: "Normal", reason: "DatabaseTakenOver", message } },
  ];
}

/** Its domains and users have owners of their own and stay. */
export const decideRemoval = (): readonly ClusterAction[] => [{ do: "releaseDatabase" }];

/** Nodes that are there go on by the spec while the database cannot be asked; the first are not made then. */
const mayRun = (cluster: SipCluster, fleet: FleetWorld, { is }: DatabaseJudgement): boolean =>
  is === "ours" || is === "take" || (is === "unknown" && deploymentOf(cluster, fleet) !== undefined);

const deploymentOf = (cluster: SipCluster, { live }: FleetWorld) =>
  live.get(`Deployment/${namesOf(cluster).nodes}`);

/** What runs now, for a status that was lost. */
function imageOf(cluster: SipCluster, fleet: FleetWorld): string | undefined {
  const deployment = deploymentOf(cluster, fleet) as
    | {
        readonly spec?: {
          readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
        };
      }
    | undefined;
  return deployment?.spec?.template?.spec?.containers?.find(({ name }) => name === "sip-node")?.image;
}

interface Container {
  readonly name: string;
  readonly image?: string;
}

type Said = Pick<ClusterDecision, "ready" | "others" | "status">;

/** With a folder of files the exchange's nodes and address are somebody else's. */
function sayFiles(
  { advertised }: SipCluster,
  { database }: ClusterWorld,
  { is, verdict }: DatabaseJudgement,
): Said {
  if (database.kind !== "open" || is === "not ours")
    return { ready: asReady(verdict), others: [], status: {} };
  return {
    ready: verdict.status === "True" ? isReady(verdict.message) : asReady(verdict),
    others: [],
    status: {
      installationId: database.installationId,
      nodes: liveNodes(database.nodes).length,
      addresses: advertised === undefined ? [] : [{ transport: "udp", ...advertised }],
    },
  };
}

interface Found {
  readonly database: DatabaseJudgement;
  readonly plan: FleetPlan | undefined;
  readonly image: ImageChoice;
}

function say(
  cluster: SipCluster,
  world: ClusterWorld,
  fleet: FleetWorld,
  { database, plan, image }: Found,
): Said {
  const isOurs = database.is === "ours" || database.is === "take";
  const traffic = judgeTraffic(fleet.traffic, (id) => nameOf(world, id));
  const hasReadyNodes = fleet.pods.some((pod) => pod.isReady && !pod.isTerminating);
  const nodes = world.database.kind === "open" ? world.database.nodes : [];
  return {
    ready: ready(cluster, fleet, { database, plan, image }),
    others: [
      database.verdict,
      ...(plan === undefined ? [] : [plan.address.verdict]),
      ...unlessSaid(world, judgeAnswering(fleet.probe, hasReadyNodes), notYet.Answering),
      ...(isOurs ? [judgeReachable(nodes, fleet.insideRanges.length > 0)] : []),
      ...unlessSaid(world, traffic, notYet.TrafficOnOneNode),
    ],
    status: {
      selector: selectorText(cluster.reference.name),
      image: image.image,
      version: image.version,
      ...addressStatus(plan, fleet),
      ...(isOurs ? figures(world) : {}),
    },
  };
}

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
  { status }: ClusterWorld,
  found: Verdict | undefined,
  otherwise: Verdict,
): readonly Verdict[] {
  if (found !== undefined) return [found];
  return status.conditions?.some(({ type }) => type === otherwise.type) === true ? [] : [otherwise];
}

/** The first thing that is in the way. */
function ready(cluster: SipCluster, fleet: FleetWorld, { database, plan }: Found): Verdict {
  if (database.verdict.status === "False" && database.is !== "unknown") return asReady(database.verdict);
  if (plan?.hindrance !== undefined) return plan.hindrance;
  if (database.verdict.status === "False") return asReady(database.verdict);
  const verdict = judgeDeployment(cluster, deploymentOf(cluster, fleet), fleet);
  return plan?.remark === undefined ? verdict : { ...verdict, message: `${verdict.message}; ${plan.remark}` };
}

const asReady = ({ reason, message }: Verdict): Verdict => notReady(reason, message);

function addressStatus(plan: FleetPlan | undefined, { domains }: FleetWorld): SipClusterStatus {
  const advertised = plan?.address.addressing?.advertised;
  if (advertised === undefined) return { addresses: [], dnsRecords: [] };
  const { host, port } = advertised;
  return { addresses: [{ transport: "udp", host, port }], dnsRecords: dnsRecords(advertised, domains) };
}

function figures({ database, status }: ClusterWorld): SipClusterStatus {
  if (database.kind !== "open") return {};
  const { installationId, nodes, registrations } = database;
  const live = liveNodes(nodes);
  const counted = {
    installationId,
    nodes: live.length,
    readyNodes: live.filter(({ isDraining }) => !isDraining).length,
  };
  // They change all the time: written when they are counted, not each time anything is looked at.
  if (registrations === undefined && status.registrations !== undefined) return counted;
  return {
    ...counted,
    registrations: registrations ?? 0,
    callsPerMinute: live.reduce((sum, { callsPerMinute }) => sum + callsPerMinute, 0),
  };
}

function nameOf({ database }: ClusterWorld, id: string): string {
  const node = database.kind === "open" ? database.nodes.find((other) => other.id === id) : undefined;
  return node?.name || id;
}
