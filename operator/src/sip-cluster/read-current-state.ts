/** Reads what a decision about a SipCluster looks at. */
import type { ImagePull } from "../config.ts";
import { randomBytes } from "node:crypto";
import { failureOf } from "../adapters/mysql/failure.ts";
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { leaderBeat } from "../adapters/mysql/leader-beat.ts";
import { readNodes, type NodeRow } from "../adapters/mysql/node-rows.ts";
import { readMigrations } from "../adapters/mysql/migration-files.ts";
import { readMigrationRows } from "../adapters/mysql/migration-rows.ts";
import { schemaNow } from "../adapters/mysql/schema-now.ts";
import type { Installations } from "../installations.ts";
import type { Clock } from "../runtime/clock.ts";
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
import type { ClusterState, DatabaseState, FleetState } from "./current-state.ts";

/** What Kubernetes is to this room; absent where the source is a folder of files. */
export interface Fleet {
  readonly manifests: Manifests;
  /** Where a SipCluster says none. */
  readonly nodeImage: string;
  readonly nodePull: ImagePull;
  /** CIDRs of pods and hosts; empty: read from Node objects. */
  readonly clusterRanges: readonly string[];
  /** NetworkPolicyPeers that may read metrics. */
  readonly metricsFrom: readonly unknown[];
}

export interface ClusterDependencies {
  readonly installations: Installations;
  readonly source: Source;
  readonly clock: Clock;
  /** Current bindings in a SipCluster's database; undefined: not counted lately. */
  readonly bindings: (cluster: ObjectKey) => number | undefined;
  readonly fleet: (Fleet & { readonly live: LiveObjects }) | undefined;
}

export interface ReadState {
  readonly world: ClusterState;
  /** Undefined: the database is away, or there is none. */
  readonly installation: Installation | undefined;
}

/** Throws where Kubernetes cannot be asked; a database that cannot be asked is part of the world. */
export async function readCurrentState(
  object: KubernetesObject,
  cluster: SipCluster,
  around: ClusterDependencies,
  watch: NodeMonitor,
): Promise<ReadState> {
  const { source, clock, fleet } = around;
  const { database, installation } = await readDatabase(object, cluster, around, watch);
  const nodes = database.kind === "open" ? database.nodes : [];
  return {
    world: {
      now: clock.now(),
      status: object.status ?? {},
      database,
      fleet: fleet && (await readFleet(cluster, fleet, source, watch, nodes)),
    },
    installation,
  };
}

async function readDatabase(
  object: KubernetesObject,
  cluster: SipCluster,
  { installations, source, bindings, clock }: ClusterDependencies,
  watch: NodeMonitor,
): Promise<{ readonly database: DatabaseState; readonly installation: Installation | undefined }> {
  const { kind, namespace, name } = cluster.reference;
  try {
    const installation = await installations.of(keyOf(namespace, name));
    if (installation === undefined) return { database: { kind: "absent" }, installation };
    const { database, id, epoch } = installation;
    const holder = await clusterOfDatabase(database);
    const isNamesake = holder?.namespace === namespace && holder.name === name;
    const isOurs = holder === undefined || (isNamesake && holder.uid === cluster.uid);
    const presence = isNamesake && !isOurs ? await source.presence(kind, keyOf(namespace, name)) : undefined;
    const key = keyOf(namespace, name);
    const counted = bindings(key);
    const open = {
      kind: "open",
      installationId: id,
      holder,
      isLed: epoch !== undefined,
      beat: await leaderBeat(database),
      uidNow: presence?.is === "present" ? presence.uid : undefined,
      schema: schemaNow(await readMigrationRows(database), await readMigrations()),
      // Another one's may have tables that are older than these statements.
      nodes: isOurs ? await readNodes(database) : [],
      registrations: counted !== undefined && isOurs && watch.isTimeToTell() ? counted : undefined,
      login: installations.loginProblems(key),
      replaced: isOurs
        ? watch.replaced.observe({ ...sightingOf(object, cluster, id), now: clock.now() })
        : undefined,
    } as const;
    return { database: open, installation };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { database: { kind: "away", ...failure }, installation: undefined };
  }
}

const sightingOf = ({ status, metadata }: KubernetesObject, { takeOver }: SipCluster, id: string) => ({
  id,
  status: (status ?? {}) as CommonStatus,
  generation: metadata.generation,
  isTakenOnPurpose: takeOver === id,
});

async function readFleet(
  cluster: SipCluster,
  fleet: NonNullable<ClusterDependencies["fleet"]>,
  source: Source,
  watch: NodeMonitor,
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
    probe: watch.report,
    traffic: watch.traffic(nodes),
  };
}

async function readRanges({ clusterRanges, manifests }: Fleet): Promise<readonly string[]> {
  return [...(clusterRanges.length > 0 ? clusterRanges : await manifests.clusterRanges())].sort();
}

/** Names that its ready SipDomains serve. */
function domainsOf({ reference }: SipCluster, source: Source): readonly string[] {
  return source.list("SipDomain").flatMap(({ metadata, spec, status }) => {
    const { clusterRef, domain } = spec as SipDomainSpec & {
      readonly clusterRef: { readonly namespace?: string };
    };
    const isOurs =
      clusterRef.name === reference.name &&
      (clusterRef.namespace ?? metadata.namespace) === reference.namespace;
    const { conditions = [] } = (status ?? {}) as CommonStatus;
    const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
    return isOurs && isReady ? [domain.toLowerCase()] : [];
  });
}

/** Asked only while nodes are missing: it would be the reason. */
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

/** The Service and every pod that is ready: what should answer SIP now. */
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
