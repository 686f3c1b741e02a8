/** What is decided in tests of this room, and how it is looked at. */
import type { Manifest } from "../runtime/manifests.ts";
import { decide, type ClusterAction, type ClusterDecision } from "./decide.ts";
import { givenCluster, givenFleet, givenWorld, type Given } from "./given.ts";
import type { ClusterWorld, FleetWorld } from "./world.ts";

/** SipCluster tel/pbx, whose address the spec says. */
const address = { udp: { host: "192.0.2.1", port: 5060 } };

export const done = (
  given: Given,
  fleet: Partial<FleetWorld>,
  more: Partial<ClusterWorld> = {},
): ClusterDecision =>
  decide(
    givenCluster({ ...given, spec: { advertise: address, ...given.spec } }),
    givenWorld({ fleet: givenFleet(fleet), ...more }),
  );

export const asLive = (actions: readonly ClusterAction[]): Map<string, Manifest> =>
  new Map(
    actions.flatMap((action) =>
      "manifest" in action && action.do !== "notePod"
        ? [[`${action.manifest.kind}/${action.manifest.metadata.name}`, action.manifest] as const]
        : [],
    ),
  );

export const brief = (actions: readonly ClusterAction[]): readonly string[] =>
  actions.map((action) =>
    "manifest" in action
      ? `${action.do} ${action.manifest.kind} ${action.manifest.metadata.name}`
      : action.do,
  );

export const condition = ({ ready, others }: ClusterDecision, type: string) =>
  [...others, ready].find((verdict) => verdict.type === type);

/** Everything there as the operator wrote it. */
export const settled = (given: Given = {}) => asLive(done(given, {}).actions);
