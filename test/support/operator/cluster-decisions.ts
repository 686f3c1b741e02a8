/** Decisions about SipCluster tel/pbx, and functions to inspect them, for the tests of sip-cluster. */
import type { Manifest } from "../../../operator/src/runtime/manifests.ts";
import {
  decide,
  type ClusterAction,
  type ClusterDecision,
} from "../../../operator/src/sip-cluster/decide.ts";
import {
  makeCluster,
  makeFleet,
  makeClusterState,
  type ClusterFixture,
} from "../../../test/support/operator/cluster-fixtures.ts";
import type { ClusterState, FleetState } from "../../../operator/src/sip-cluster/current-state.ts";

/** The address in the spec. */
const address = { udp: { host: "192.0.2.1", port: 5060 } };

export const decideOn = (
  given: ClusterFixture,
  fleet: Partial<FleetState>,
  more: Partial<ClusterState> = {},
): ClusterDecision =>
  decide(
    makeCluster({ ...given, spec: { advertise: address, ...given.spec } }),
    makeClusterState({ fleet: makeFleet(fleet), ...more }),
  );

export const liveAfter = (actions: readonly ClusterAction[]): Map<string, Manifest> =>
  new Map(
    actions.flatMap((action) =>
      "manifest" in action && action.do !== "annotatePod"
        ? [[`${action.manifest.kind}/${action.manifest.metadata.name}`, action.manifest] as const]
        : [],
    ),
  );

export const summarize = (actions: readonly ClusterAction[]): readonly string[] =>
  actions.map((action) =>
    "manifest" in action
      ? `${action.do} ${action.manifest.kind} ${action.manifest.metadata.name}`
      : action.do,
  );

export const findCondition = ({ conditions }: ClusterDecision, type: string) =>
  conditions.find((condition) => condition.type === type);

/** All objects in Kubernetes as the operator wrote them. */
export const liveWhenSettled = (given: ClusterFixture = {}) => liveAfter(decideOn(given, {}).actions);
