/** The current state that a decision about a SipCluster reads: its database, and its objects in Kubernetes. */
import type { ImagePull } from "../config.ts";
import type { ClusterIdentity } from "../adapters/mysql/installation.ts";
import type { LeaderHeartbeat } from "../adapters/mysql/leader-heartbeat.ts";
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { SchemaNow } from "../adapters/mysql/schema-now.ts";
import type { ProbeReport } from "../adapters/probe/probe.ts";
import type { LoginProblems } from "../installations.ts";
import type { Manifest } from "../runtime/manifests.ts";
import type { Reason } from "../runtime/reason.ts";
import { namesOf } from "./manifests/names.ts";
import type { SipCluster } from "./resource.ts";
import type { TrafficSample } from "./traffic-condition.ts";
import type { SipClusterStatus } from "../sources/types.ts";

export interface ClusterState {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** As it was last written. */
  readonly status: SipClusterStatus;
  readonly database: DatabaseReading;
  /** Undefined: the source is a folder of files, and the operator does not manage nodes. */
  readonly fleet: FleetState | undefined;
}

export type DatabaseReading =
  /** The spec names no database. */
  | { readonly kind: "absent" }
  | { readonly kind: "away"; readonly reason: Reason; readonly message: string }
  | OpenDatabase;

export interface OpenDatabase {
  readonly kind: "open";
  readonly installationId: string;
  /** The SipCluster that owns the database. */
  readonly holder: ClusterIdentity | undefined;
  /** This operator holds the epoch of the database. */
  readonly isLed: boolean;
  /** Of the leader that holds the epoch. */
  readonly beat: LeaderHeartbeat;
  /** The uid of this SipCluster in the API server. Read only where the database belongs to this name with another uid. */
  readonly uidNow: string | undefined;
  readonly schema: SchemaNow;
  /** With a heartbeat in the last minute; the latest start first. */
  readonly nodes: readonly NodeRow[];
  /** Contacts; undefined: not counted in this reconcile. */
  readonly registrations: number | undefined;
  readonly login: LoginProblems;
  /** The notice that the database was emptied or replaced within the last day. */
  readonly replaced: string | undefined;
}

export interface FleetState {
  readonly defaultImage: string;
  readonly nodePull: ImagePull;
  /** NetworkPolicyPeers that may read metrics. */
  readonly metricsFrom: readonly unknown[];
  /** CIDRs of pods and hosts. */
  readonly insideRanges: readonly string[];
  /** The objects with the names of our objects, by `Kind/name`, of any owner. */
  readonly live: ReadonlyMap<string, Manifest>;
  /** All with our label. */
  readonly services: readonly Manifest[];
  readonly pods: readonly Pod[];
  /** Names of the domains that the cluster serves. */
  readonly domains: readonly string[];
  /** A random key, for the case that a new key is needed. */
  readonly freshKey: { readonly id: string; readonly key: string };
  /** The Secret with the nodes' login exists. */
  readonly hasCredentials: boolean;
  /** Undefined: no probe yet. */
  readonly probe: ProbeReport | undefined;
  readonly traffic: readonly TrafficSample[];
}

export interface PodProblem {
  /** The reason in the pod's status, and its message or the end of the container's log. */
  readonly text: string;
  /** It does not end by itself: the spec or the cluster has to change. */
  readonly isLasting: boolean;
}

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string | undefined;
  readonly isRunning: boolean;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Why it does not run; undefined: it runs or starts. */
  readonly problem: PodProblem | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The Deployment in Kubernetes; undefined: it was not created yet. */
export const deploymentOf = (cluster: SipCluster, { live }: Pick<FleetState, "live">): Manifest | undefined =>
  live.get(`Deployment/${namesOf(cluster).nodes}`);
