/** What to do about a SipCluster, and how it is. Pure; each question has a file of its own. */
import type { Ms } from "../runtime/clock.ts";
import type { FleetAction } from "./fleet-action.ts";
import {
  databaseReplaced,
  isMigrationDue,
  assessDatabase,
  type DatabaseAssessment,
} from "./assess-database.ts";
import { planFleet } from "./plan-fleet.ts";
import { planImage, servingImage } from "./plan-image.ts";
import { isServed, type SipCluster } from "./resource.ts";
import { sayCluster, sayFiles, type Said } from "./cluster-status.ts";
import { deploymentOf, type ClusterState, type FleetState } from "./current-state.ts";

export type ClusterAction =
  | { readonly do: "takeDatabase" }
  /** A migration has waited for nodes that are gone. */
  | { readonly do: "migrateDatabase" }
  | { readonly do: "releaseDatabase" }
  | FleetAction;

export interface ClusterDecision extends Said {
  /** In this order. */
  readonly actions: readonly ClusterAction[];
  /** While it is being deleted, so that its database is let go. Absent: as it is, for nobody knows whose the database is. */
  readonly needsFinalizer?: boolean;
  readonly requeueAfter: Ms;
}

/** Nodes come and go without telling the operator. */
const recount: Ms = 5_000;

export function decide(cluster: SipCluster, world: ClusterState): ClusterDecision {
  const database = assessDatabase(cluster, world.database, world.status.installationId);
  const { fleet } = world;
  const take = [
    ...(database.is === "take" ? takeOver(world) : []),
    ...migrateOnceDue(world, database),
    ...tellReplaced(world, database),
  ];
  const requeueAfter = Math.max(recount, database.lookAgain ?? 0);
  const needsFinalizer = database.is === "ours" || database.is === "take";
  const common = { requeueAfter, ...(database.is === "unknown" ? {} : { needsFinalizer }) };
  if (fleet === undefined) return { actions: take, ...sayFiles(cluster, world, database), ...common };
  const served = servingImage(deploymentOf(cluster, fleet)) ?? world.status.image;
  const image = planImage(cluster, served, fleet.defaultImage);
  const plan = isServed(cluster)
    ? planFleet(cluster, world, fleet, image, mayRun(cluster, fleet, database))
    : undefined;
  return {
    actions: [...take, ...(plan?.actions ?? [])],
    ...sayCluster(cluster, world, fleet, { database, plan, image, served }),
    ...common,
  };
}

const migrateOnceDue = ({ database }: ClusterState, { is }: DatabaseAssessment): readonly ClusterAction[] =>
  is === "ours" && database.kind === "open" && isMigrationDue(database) ? [{ do: "migrateDatabase" }] : [];

function takeOver({ database }: ClusterState): readonly ClusterAction[] {
  const holder = database.kind === "open" ? database.holder : undefined;
  if (holder === undefined) return [{ do: "takeDatabase" }];
  const message =
    "took over a database that belonged to another SipCluster, or to an earlier one of this name";
  return [
    { do: "takeDatabase" },
    { do: "tell", event: { type: "Normal", reason: "DatabaseTakenOver", message } },
  ];
}

/** Once: from then on the status has the id of the database that is there now. */
function tellReplaced(
  { database, status }: ClusterState,
  { is }: DatabaseAssessment,
): readonly ClusterAction[] {
  if (database.kind !== "open" || (is !== "ours" && is !== "take")) return [];
  const { replaced, installationId } = database;
  if (replaced === undefined || status.installationId === installationId) return [];
  return [{ do: "tell", event: { type: "Warning", reason: databaseReplaced, message: replaced } }];
}

/** Its domains and users have owners of their own and stay. */
export const decideRemoval = (): readonly ClusterAction[] => [{ do: "releaseDatabase" }];

/** Nodes that are there go on by the spec while the database cannot be asked; the first are not made then. */
const mayRun = (cluster: SipCluster, fleet: FleetState, { is }: DatabaseAssessment): boolean =>
  is === "ours" || is === "take" || (is === "unknown" && deploymentOf(cluster, fleet) !== undefined);
