/** The decision about a SipCluster: its actions, its conditions and its status. Pure. Each part has a file of its own. */
import type { Decision } from "../runtime/decision.ts";
import type { Ms } from "../runtime/clock.ts";
import {
  assessDatabase,
  databaseReplaced,
  isMigrationDue,
  type DatabaseAssessment,
} from "./assess-database.ts";
import { buildClusterStatus, buildStatusWithoutFleet, type ClusterStatus } from "./cluster-status.ts";
import { deploymentOf, type ClusterState, type FleetState } from "./current-state.ts";
import type { FleetAction } from "./fleet-action.ts";
import { nodeNameOf } from "./live-nodes.ts";
import { planFleet } from "./plan-fleet.ts";
import { planImage, servingImage } from "./plan-image.ts";
import { buildAnsweringCondition, buildReachableCondition, notProbedYet } from "./reachability-conditions.ts";
import { buildReadyCondition, buildReadyWithoutFleet } from "./ready-condition.ts";
import { isServed, type SipCluster } from "./resource.ts";
import { buildTrafficCondition, notWatchedYet } from "./traffic-condition.ts";

export type ClusterAction =
  | { readonly do: "takeDatabase" }
  /** A migration waited for nodes that are gone now. */
  | { readonly do: "migrateDatabase" }
  | { readonly do: "releaseDatabase" }
  | FleetAction;

export interface ClusterDecision extends Decision<ClusterAction> {
  readonly status: ClusterStatus;
  readonly requeueAfter: Ms;
}

/** No watch reports that a node starts or stops. */
const recount: Ms = 5_000;

export function decide(cluster: SipCluster, state: ClusterState): ClusterDecision {
  const database = assessDatabase(cluster, state.database, state.status.installationId);
  const actions = databaseActions(state, database);
  const common = {
    requeueAfter: Math.max(recount, database.lookAgain ?? 0),
    // While the owner of the database is unknown, the finalizer stays as it is.
    ...(database.is === "unknown" ? {} : { needsFinalizer: isOurs(database) }),
  };
  if (state.fleet === undefined)
    return {
      actions,
      conditions: [buildReadyWithoutFleet(state, database)],
      status: buildStatusWithoutFleet(cluster, state, database),
      ...common,
    };
  return { ...common, ...decideFleet(cluster, state, state.fleet, database, actions) };
}

function decideFleet(
  cluster: SipCluster,
  state: ClusterState,
  fleet: FleetState,
  database: DatabaseAssessment,
  actions: readonly ClusterAction[],
): Pick<ClusterDecision, "actions" | "conditions" | "status"> {
  const served = servingImage(deploymentOf(cluster, fleet)) ?? state.status.image;
  const image = planImage(cluster, served, fleet.defaultImage);
  const plan = isServed(cluster)
    ? planFleet(cluster, state, fleet, image, mayRun(cluster, fleet, database))
    : undefined;
  return {
    actions: [...actions, ...(plan?.actions ?? [])],
    conditions: [
      database.condition,
      plan?.address.condition,
      buildAnsweringCondition(fleet) ?? unlessStated(state, notProbedYet),
      isOurs(database) ? buildReachableCondition(state.database, fleet) : undefined,
      buildTrafficCondition(fleet.traffic, (id) => nodeNameOf(state.database, id)) ??
        unlessStated(state, notWatchedYet),
      buildReadyCondition(cluster, state, fleet, { database, plan, image }),
    ].filter((condition) => condition !== undefined),
    status: buildClusterStatus(cluster, state, fleet, { isOurs: isOurs(database), database, plan, served }),
  };
}

/** An operator that has just started has no result yet. The condition that the operator before it wrote stays. */
const unlessStated = <Given extends { readonly type: string }>(
  { status }: ClusterState,
  condition: Given,
): Given | undefined =>
  status.conditions?.some(({ type }) => type === condition.type) === true ? undefined : condition;

const isOurs = ({ is }: DatabaseAssessment): boolean => is === "ours" || is === "take";

const databaseActions = (state: ClusterState, database: DatabaseAssessment): readonly ClusterAction[] => [
  ...(database.is === "take" ? takeDatabase(state) : []),
  ...migrateWhenDue(state, database),
  ...reportReplaced(state, database),
];

function takeDatabase({ database }: ClusterState): readonly ClusterAction[] {
  const holder = database.kind === "open" ? database.holder : undefined;
  if (holder === undefined) return [{ do: "takeDatabase" }];
  const message =
    "took over a database that belonged to another SipCluster, or to an earlier SipCluster of this name";
  return [
    { do: "takeDatabase" },
    { do: "recordEvent", event: { type: "Normal", reason: "DatabaseTakenOver", message } },
  ];
}

const migrateWhenDue = ({ database }: ClusterState, { is }: DatabaseAssessment): readonly ClusterAction[] =>
  is === "ours" && database.kind === "open" && isMigrationDue(database) ? [{ do: "migrateDatabase" }] : [];

/** Reported once: after it the status has the installation id of the present database. */
function reportReplaced(
  { database, status }: ClusterState,
  assessment: DatabaseAssessment,
): readonly ClusterAction[] {
  if (database.kind !== "open" || !isOurs(assessment)) return [];
  const { replaced, installationId } = database;
  if (replaced === undefined || status.installationId === installationId) return [];
  return [{ do: "recordEvent", event: { type: "Warning", reason: databaseReplaced, message: replaced } }];
}

/** The rows of its domains and users stay: they have owners of their own. */
export const decideRemoval = (): readonly ClusterAction[] => [{ do: "releaseDatabase" }];

/** While the database cannot be reached, existing nodes follow the spec, and the first nodes are not created. */
const mayRun = (cluster: SipCluster, fleet: FleetState, { is }: DatabaseAssessment): boolean =>
  is === "ours" || is === "take" || (is === "unknown" && deploymentOf(cluster, fleet) !== undefined);
