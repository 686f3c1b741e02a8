/** What is decided in tests of this room, and how it is looked at. */
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

/** SipCluster tel/pbx, whose address the spec says. */
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
      "manifest" in action && action.do !== "notePod"
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

export const findCondition = ({ ready, others }: ClusterDecision, type: string) =>
  [...others, ready].find((verdict) => verdict.type === type);

/** Everything there as the operator wrote it. */
export const liveWhenSettled = (given: ClusterFixture = {}) => liveAfter(decideOn(given, {}).actions);
