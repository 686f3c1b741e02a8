/** The fields of a SipCluster's status beside its conditions. Pure. */
import type { SipClusterStatus } from "../sources/types.ts";
import type { DatabaseAssessment } from "./assess-database.ts";
import type { ClusterState, FleetState } from "./current-state.ts";
import { dnsRecords } from "./dns-records.ts";
import { liveNodes } from "./live-nodes.ts";
import { selectorText } from "./manifests/names.ts";
import type { FleetPlan } from "./plan-fleet.ts";
import { versionOf } from "./plan-image.ts";
import type { SipCluster } from "./resource.ts";

/** The value undefined removes one of these from the status. */
type Removable = "installationId" | "image" | "version";

export type ClusterStatus = Omit<SipClusterStatus, Removable> & {
  readonly [Field in Removable]?: string | undefined;
};

/** With a folder of files the operator makes neither nodes nor their address. */
export function buildStatusWithoutFleet(
  cluster: SipCluster,
  { database }: ClusterState,
  { is }: DatabaseAssessment,
): ClusterStatus {
  if (is === "not ours") return withoutInstallation(cluster);
  if (database.kind !== "open") return {};
  const { advertised } = cluster;
  return {
    installationId: database.installationId,
    nodes: liveNodes(database.nodes).length,
    addresses: advertised === undefined ? [] : [{ transport: "udp", ...advertised }],
  };
}

export interface StatusInput {
  /** The database belongs to this SipCluster, or will after the actions. */
  readonly isOurs: boolean;
  readonly database: DatabaseAssessment;
  readonly plan: FleetPlan | undefined;
  /** The last image that nodes served with. Undefined: no node served yet. */
  readonly served: string | undefined;
}

export const buildClusterStatus = (
  cluster: SipCluster,
  state: ClusterState,
  fleet: FleetState,
  { isOurs, database, plan, served }: StatusInput,
): ClusterStatus => ({
  selector: selectorText(cluster.reference.name),
  image: served,
  version: served && versionOf(served),
  ...addressStatus(plan, fleet),
  ...(isOurs ? countsOf(state) : {}),
  ...(database.is === "not ours" ? withoutInstallation(cluster) : {}),
});

/** While the annotation take-over is set, the installation id stays: it proves that this take-over was done. */
const withoutInstallation = ({ takeOver }: SipCluster): { readonly installationId?: undefined } =>
  takeOver === undefined ? { installationId: undefined } : {};

function addressStatus(plan: FleetPlan | undefined, { domains }: FleetState): SipClusterStatus {
  const advertised = plan?.address.addressing?.advertised;
  if (advertised === undefined) return { addresses: [], dnsRecords: [] };
  const { host, port } = advertised;
  return { addresses: [{ transport: "udp", host, port }], dnsRecords: dnsRecords(advertised, domains) };
}

function countsOf({ database }: ClusterState): SipClusterStatus {
  if (database.kind !== "open") return {};
  const { installationId, nodes, registrations } = database;
  const live = liveNodes(nodes);
  const counts = {
    installationId,
    nodes: live.length,
    readyNodes: live.filter(({ isDraining }) => !isDraining).length,
  };
  // These two change all the time. They are written only when the registrations were counted.
  if (registrations === undefined) return counts;
  return {
    ...counts,
    registrations,
    callsPerMinute: live.reduce((sum, { callsPerMinute }) => sum + callsPerMinute, 0),
  };
}
