/** What a decision about a SipCluster looks at: its database, and what of it is in Kubernetes. */
import type { ImagePull } from "../config.ts";
import type { ClusterIdentity } from "../adapters/mysql/installation.ts";
import type { LeaderBeat } from "../adapters/mysql/leader-beat.ts";
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
  /** What was said last. */
  readonly status: SipClusterStatus;
  readonly database: DatabaseState;
  /** Undefined: the source is a folder of files, and somebody else starts the nodes. */
  readonly fleet: FleetState | undefined;
}

export type DatabaseState =
  /** The spec names none. */
  | { readonly kind: "absent" }
  | { readonly kind: "away"; readonly reason: Reason; readonly message: string }
  | OpenDatabase;

export interface OpenDatabase {
  readonly kind: "open";
  readonly installationId: string;
  /** The SipCluster that the database belongs to. */
  readonly holder: ClusterIdentity | undefined;
  /** This operator holds the database's epoch already. */
  readonly isLed: boolean;
  /** Of the leader that holds it, whoever that is. */
  readonly beat: LeaderBeat;
  /** The uid under which the API server has this SipCluster; asked only where the database belongs to its name under another one. */
  readonly uidNow: string | undefined;
  readonly schema: SchemaNow;
  /** Of the last minute, the latest start first. */
  readonly nodes: readonly NodeRow[];
  /** Contacts; undefined: not counted this time. */
  readonly registrations: number | undefined;
  readonly login: LoginProblems;
  /** What is to be said where it is another database than before, or was emptied, within the last day. */
  readonly replaced: string | undefined;
}

export interface FleetState {
  readonly defaultImage: string;
  readonly nodePull: ImagePull;
  /** NetworkPolicyPeers that may read metrics. */
  readonly metricsFrom: readonly unknown[];
  /** CIDRs of pods and hosts. */
  readonly insideRanges: readonly string[];
  /** What is there under a name that we would use, by `Kind/name`; whoever's it is. */
  readonly live: ReadonlyMap<string, Manifest>;
  /** All that carry our label. */
  readonly services: readonly Manifest[];
  readonly pods: readonly Pod[];
  /** Names of the domains that it serves. */
  readonly domains: readonly string[];
  /** A random key, in case one is needed. */
  readonly freshKey: { readonly id: string; readonly key: string };
  /** The nodes' login is there to be mounted. */
  readonly hasCredentials: boolean;
  /** Undefined: not asked yet. */
  readonly probe: ProbeReport | undefined;
  readonly traffic: readonly TrafficSample[];
}

export interface PodTrouble {
  /** The reason that Kubernetes states, and its message or the container's last words. */
  readonly text: string;
  /** It does not go away by itself. */
  readonly isLasting: boolean;
}

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string | undefined;
  readonly isRunning: boolean;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Why it does not run; undefined: it does, or it just starts. */
  readonly trouble: PodTrouble | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** As it is in Kubernetes; undefined: it was not made yet. */
export const deploymentOf = (cluster: SipCluster, { live }: Pick<FleetState, "live">): Manifest | undefined =>
  live.get(`Deployment/${namesOf(cluster).nodes}`);
