/** Reads the current state of a SipCluster. */
import type { ImagePull } from "../config.ts";
import { randomBytes } from "node:crypto";
import { failureOf } from "../adapters/mysql/failure.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { readLeaderHeartbeat } from "../adapters/mysql/leader-heartbeat.ts";
import { readNodes, type NodeRow } from "../adapters/mysql/node-rows.ts";
import { readMigrations } from "../adapters/mysql/migration-files.ts";
import { readMigrationRows } from "../adapters/mysql/migration-rows.ts";
import { schemaNow } from "../adapters/mysql/schema-now.ts";
import type { Installations } from "../installations.ts";
import { clusterOfDomain } from "../references.ts";
import type { Clock } from "../runtime/clock.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import type { Manifest, Manifests } from "../runtime/manifests.ts";
import { keyOf, type CommonStatus, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { SipDomainSpec } from "../sources/types.ts";
import type { LiveObjects } from "./live-objects.ts";
import { namesOf } from "./manifests/names.ts";
import { ports } from "./manifests/ports.ts";
import { readPod } from "./read-pod.ts";
import type { SipCluster } from "./resource.ts";
import type { NodeMonitor } from "./node-monitor.ts";
import type { ClusterState, DatabaseReading, FleetState } from "./current-state.ts";

/** The access to Kubernetes and the chart's settings for nodes. Absent where the source is a folder of files. */
export interface Fleet {
  readonly manifests: Manifests;
  /** The default for SipClusters that name no image. */
  readonly nodeImage: string;
  readonly nodePull: ImagePull;
  /** CIDRs of pods and hosts. Empty: they are read from Node objects. */
  readonly clusterRanges: readonly string[];
  /** NetworkPolicyPeers that may read metrics. */
  readonly metricsFrom: readonly unknown[];
}

export interface ClusterDependencies {
  readonly installations: Installations;
  readonly source: Source;
  readonly clock: Clock;
  /** The bindings in a SipCluster's database; undefined: no recent count. */
  readonly bindings: (cluster: ObjectKey) => number | undefined;
  readonly fleet: (Fleet & { readonly live: LiveObjects }) | undefined;
}

export interface ReadState {
  readonly state: ClusterState;
  /** Undefined: the database is unreachable, or there is none. */
  readonly installation: Installation | undefined;
}

/** Throws when the API server is unreachable. An unreachable database is part of the state. */
export async function readCurrentState(
  object: KubernetesObject,
  cluster: SipCluster,
  deps: ClusterDependencies,
  monitor: NodeMonitor,
): Promise<ReadState> {
  const { source, clock, fleet } = deps;
  const { database, installation } = await readDatabase(object, cluster, deps, monitor);
  const nodes = database.kind === "open" ? database.nodes : [];
  return {
    state: {
      now: clock.now(),
      status: object.status ?? {},
      database,
      fleet: fleet && (await readFleet(cluster, fleet, source, monitor, nodes)),
    },
    installation,
  };
}

async function readDatabase(
  object: KubernetesObject,
  cluster: SipCluster,
  { installations, source, bindings, clock }: ClusterDependencies,
  monitor: NodeMonitor,
): Promise<{ readonly database: DatabaseReading; readonly installation: Installation | undefined }> {
  const { kind, namespace, name } = cluster.reference;
  try {
    const installation = await installations.of(keyOf(namespace, name));
    if (installation === undefined) return { database: { kind: "absent" }, installation };
    const { database, id, epoch } = installation;
    const holder = await clusterOfDatabase(database);
    const isNamesake = holder?.namespace === namespace && holder.name === name;
    const isOurs = holder === undefined || (isNamesake && holder.uid === cluster.uid);
    const existence =
      isNamesake && !isOurs ? await source.existence(kind, keyOf(namespace, name)) : undefined;
    const key = keyOf(namespace, name);
    const counted = bindings(key);
    const open = {
      kind: "open",
      installationId: id,
      holder,
      isLed: epoch !== undefined,
      beat: await readLeaderHeartbeat(database),
      uidNow: existence?.is === "present" ? existence.uid : undefined,
      schema: schemaNow(await readMigrationRows(database), await readMigrations()),
      // The tables of another SipCluster's database may be older than these statements.
      nodes: isOurs ? await readNodes(database) : [],
      registrations: counted !== undefined && isOurs && monitor.areCountsDue() ? counted : undefined,
      login: installations.loginProblems(key),
      replaced: isOurs
        ? monitor.replaced.observe({ ...observationOf(object, cluster, id), now: clock.now() })
        : undefined,
    } as const;
    return { database: open, installation };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { database: { kind: "away", ...failure }, installation: undefined };
  }
}

const observationOf = ({ status, metadata }: KubernetesObject, { takeOver }: SipCluster, id: string) => ({
  id,
  status: (status ?? {}) as CommonStatus,
  generation: metadata.generation,
  isTakeOver: takeOver === id,
});

async function readFleet(
  cluster: SipCluster,
  fleet: NonNullable<ClusterDependencies["fleet"]>,
  source: Source,
  monitor: NodeMonitor,
  nodes: readonly NodeRow[],
): Promise<FleetState> {
  const { live, services, pods } = await fleet.live.of(cluster);
  return {
    defaultImage: fleet.nodeImage,
    nodePull: fleet.nodePull,
    metricsFrom: fleet.metricsFrom,
    insideRanges: await readRanges(fleet),
    live,
    services,
    pods: pods.map(readPod),
    domains: domainsOf(cluster, source),
    freshKey: { id: randomBytes(6).toString("hex"), key: randomBytes(32).toString("base64") },
    hasCredentials: await hasCredentials(cluster, source, live),
    probe: monitor.report,
    traffic: monitor.traffic(nodes),
  };
}

async function readRanges({ clusterRanges, manifests }: Fleet): Promise<readonly string[]> {
  return [...(clusterRanges.length > 0 ? clusterRanges : await manifests.clusterRanges())].sort();
}

/** The names of its ready SipDomains. */
function domainsOf({ reference }: SipCluster, source: Source): readonly string[] {
  const cluster = keyOf(reference.namespace, reference.name);
  return source
    .list("SipDomain")
    .filter((domain) => clusterOfDomain(domain) === cluster && isReadyObject(domain))
    .map(({ spec }) => (spec as SipDomainSpec).domain.toLowerCase());
}

/** Read only while nodes are missing, because a missing Secret explains them. */
async function hasCredentials(
  cluster: SipCluster,
  source: Source,
  live: ReadonlyMap<string, Manifest>,
): Promise<boolean> {
  const { mysql, replicas, reference } = cluster;
  const deployment = live.get(`Deployment/${namesOf(cluster).nodes}`);
  const { availableReplicas = 0 } = (deployment?.["status"] ?? {}) as { readonly availableReplicas?: number };
  if (mysql === undefined || availableReplicas >= replicas) return true;
  return (await source.secret(keyOf(reference.namespace, mysql.credentialsSecret))) !== undefined;
}

/** The Service and every ready pod: these should answer SIP now. */
export function probeTargets(
  cluster: SipCluster,
  { live, pods }: FleetState,
): readonly { readonly name: string; readonly address: string; readonly port: number }[] {
  const service = live.get(`Service/${namesOf(cluster).service}`);
  const { clusterIP = "", ports: served = [] } = (service?.["spec"] ?? {}) as {
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly port: number }[];
  };
  const ready = pods.filter(({ isReady, isTerminating }) => isReady && !isTerminating);
  if (ready.length === 0) return [];
  return [
    { name: `Service ${namesOf(cluster).service}`, address: clusterIP, port: served[0]?.port ?? ports.sip },
    ...ready.map(({ name, ip = "" }) => ({ name, address: ip, port: ports.sip })),
  ];
}
