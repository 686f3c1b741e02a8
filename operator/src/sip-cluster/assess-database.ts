/** Which SipCluster owns the database (design-kubernetes rule 1), and whether the database can serve. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { nodeTimeout, describeWait } from "../adapters/mysql/schema-now.ts";
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Reason } from "../runtime/reason.ts";
import type { SipCluster } from "./resource.ts";
import { liveNodes } from "./live-nodes.ts";
import type { DatabaseReading, OpenDatabase } from "./current-state.ts";

export interface DatabaseAssessment {
  /** `take`: it is this cluster's after the action `takeDatabase`. `unknown`: it cannot be reached, and the last assessment stays in force. */
  readonly is: "ours" | "take" | "unknown" | "not ours";
  /** The condition DatabaseReady. */
  readonly condition: NewCondition;
  readonly lookAgain?: Ms;
}

/** The other leader must be without a heartbeat for this time. */
const takeOverAfter: Ms = 60_000;

/** `previousId`: the installation id in the status. */
export function assessDatabase(
  cluster: SipCluster,
  database: DatabaseReading,
  previousId: string | undefined,
): DatabaseAssessment {
  switch (database.kind) {
    case "absent":
      return {
        is: "not ours",
        condition: databaseNotReady(
          "MysqlMissing",
          "spec.mysql is not set; set it to the database of this exchange",
        ),
      };
    case "away":
      return { is: "unknown", condition: databaseNotReady(database.reason, database.message) };
    case "open":
      return assessOpen(cluster, database, previousId);
  }
}

function assessOpen(
  cluster: SipCluster,
  database: OpenDatabase,
  previousId: string | undefined,
): DatabaseAssessment {
  const { holder, installationId, beat, isLed, uidNow } = database;
  const { namespace, name } = cluster.reference;
  const isNamesake = holder?.namespace === namespace && holder.name === name;
  if (isNamesake && holder.uid === cluster.uid)
    return { is: "ours", condition: buildCondition(cluster, database) };
  // Each annotation takes the database once. Otherwise two SipClusters with the annotation would take it from each other forever.
  const wasTaken = cluster.takeOver === installationId && previousId === installationId && !isNamesake;
  if (holder === undefined || (cluster.takeOver === installationId && !wasTaken))
    return { is: "take", condition: buildCondition(cluster, database) };
  if (isNamesake) {
    if (uidNow === cluster.uid && (isLed || beat.age >= takeOverAfter))
      return { is: "take", condition: buildCondition(cluster, database) };
    return {
      is: "not ours",
      condition: databaseNotReady(
        "DatabaseTaken",
        `the database belongs to an earlier SipCluster ${name}, whose operator wrote a heartbeat in the last minute; taken over after ${takeOverAfter / 1000} s without a heartbeat, or at once with the annotation sip.strowger.dev/take-over: ${installationId}`,
      ),
      lookAgain: 10_000,
    };
  }
  const owner =
    holder.namespace === namespace ? `SipCluster ${holder.name}` : "a SipCluster of another namespace";
  const how = wasTaken
    ? "This SipCluster took it over before, and it was taken back; to take it again, remove the annotation sip.strowger.dev/take-over, and then set it again"
    : `To take it over, annotate this SipCluster with sip.strowger.dev/take-over: ${installationId}`;
  return {
    is: "not ours",
    condition: databaseNotReady(
      "DatabaseTaken",
      `the database belongs to ${owner}; one database serves one SipCluster. ${how}`,
    ),
    lookAgain: 30_000,
  };
}

/** Whether a waiting migration can be applied now. */
export const isMigrationDue = ({ isLed, schema: { next }, nodes }: OpenDatabase): boolean =>
  isLed && next !== undefined && olderThan(next.servesFrom, nodes).length === 0;

const olderThan = (number: number, nodes: readonly NodeRow[]): readonly NodeRow[] =>
  nodes.filter(
    ({ schemaMax, sinceHeartbeat }) => schemaMax < number && number > 1 && sinceHeartbeat < nodeTimeout,
  );

/** A database that serves may still have a problem or a notice to report. */
function buildCondition(cluster: SipCluster, database: OpenDatabase): NewCondition {
  const condition = buildSchemaCondition(database);
  if (condition.status !== "True") return condition;
  const { login, replaced } = database;
  if (login.operator !== undefined)
    return databaseNotReady(login.operator.reason, `${login.operator.message}; open connections continue`);
  const nodes = buildNodesProblem(cluster, liveNodes(database.nodes));
  if (nodes !== undefined) return nodes;
  return replaced === undefined || condition.reason !== "Connected"
    ? condition
    : { ...condition, reason: databaseReplaced, message: replaced };
}

/** The reason stays for one day. */
export const databaseReplaced = "DatabaseReplaced";

function buildNodesProblem({ mysql }: SipCluster, nodes: readonly NodeRow[]): NewCondition | undefined {
  const failing = nodes.filter(({ databaseError }) => databaseError !== "");
  const [first] = failing;
  if (first === undefined) return undefined;
  const secret = mysql === undefined ? "" : `; check Secret ${mysql.credentialsSecret}, which they mount`;
  return databaseNotReady(
    "NodesDatabaseError",
    `nodes (${names(failing)}) cannot open new connections: ${first.databaseError}; open connections continue${secret}`,
  );
}

function buildSchemaCondition({ schema, nodes }: OpenDatabase): NewCondition {
  const { number, servesFrom, next } = schema;
  const behind = liveNodes(nodes).filter(({ schemaMax }) => schemaMax < servesFrom);
  const ahead = liveNodes(nodes).filter(({ schemaMin }) => schemaMin > number);
  if (ahead.length > 0)
    return databaseNotReady(
      "SchemaTooOld",
      `the database has migration ${number}, and nodes (${names(ahead)}) need ${ahead[0]?.schemaMin ?? 0}; upgrade the operator: it applies migrations`,
    );
  if (behind.length > 0)
    return databaseNotReady(
      "SchemaTooNew",
      `the database has migration ${number}, which needs nodes that know migration ${servesFrom} or later, and nodes (${names(behind)}) know up to ${behind[0]?.schemaMax ?? 0}; upgrade them with spec.version or spec.image`,
    );
  const yes = { type: "DatabaseReady", status: "True" } as const;
  if (next !== undefined) {
    const older = olderThan(next.servesFrom, nodes).map(({ name, id }) => name || id);
    const message =
      older.length > 0 ? describeWait({ ...next, nodes: older }) : `migration ${next.label} is being applied`;
    return { ...yes, reason: "MigrationWaits", message };
  }
  return { ...yes, reason: "Connected", message: "the database belongs to this SipCluster" };
}

const names = (nodes: readonly { readonly name: string; readonly id: string }[]): string =>
  nodes
    .slice(0, 5)
    .map(({ name, id }) => name || id)
    .join(", ");

const databaseNotReady = (reason: Reason, message: string): NewCondition => ({
  type: "DatabaseReady",
  status: "False",
  reason,
  message,
});
