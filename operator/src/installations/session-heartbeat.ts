/** The heartbeat of a leader: writes a sign of life, and finds whether the database is still led by this process. */
import { isTableMissing } from "../adapters/mysql/failure.ts";
import type { DatabaseEvent } from "./database-states.ts";
import { leadershipOf, type DatabaseSession } from "./database-session.ts";

export type LossEvent = Extract<
  DatabaseEvent,
  "database replaced" | "taken by another SipCluster" | "contested" | "leadership lost"
>;

export type HeartbeatResult =
  | { readonly is: "led" }
  /** The session has ended while the database was asked. */
  | { readonly is: "ended" }
  /** `leader`: the name that the present leader wrote; it may be empty. */
  | { readonly is: "lost"; readonly event: LossEvent; readonly leader: string };

export interface HeartbeatDependencies {
  isOpen(session: DatabaseSession): boolean;
  /** Whether this process holds the Lease. */
  isLeader(): boolean;
}

const replaced: HeartbeatResult = { is: "lost", event: "database replaced", leader: "" };

/** Throws where the database does not answer. */
export async function writeSessionHeartbeat(
  session: DatabaseSession,
  deps: HeartbeatDependencies,
): Promise<HeartbeatResult> {
  const { access } = session;
  try {
    if (!(await access.writeHeartbeat(leadershipOf(session)!))) return await findLoss(session, deps);
    return (await access.areTablesLost()) ? replaced : { is: "led" };
  } catch (error) {
    if (isTableMissing(error)) return replaced;
    throw error;
  }
}

async function findLoss(session: DatabaseSession, deps: HeartbeatDependencies): Promise<HeartbeatResult> {
  if (!deps.isOpen(session)) return { is: "ended" };
  const { access, cluster } = session;
  const isTaken = await access.belongsToAnother(cluster);
  const isAnother = await access.isAnotherDatabase(leadershipOf(session)!);
  const { leader } = await access.readHeartbeat();
  if (isTaken) return { is: "lost", event: "taken by another SipCluster", leader };
  if (!deps.isLeader()) return { is: "lost", event: "leadership lost", leader };
  return isAnother ? replaced : { is: "lost", event: "contested", leader };
}
