/** Whose the database is (design: truth, names, ownership, rule 1), and whether it can serve. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { goneAfter, sayWaiting } from "../adapters/mysql/schema-now.ts";
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Reason } from "../runtime/reason.ts";
import type { SipCluster } from "./resource.ts";
import { liveNodes } from "./live-nodes.ts";
import type { DatabaseState, OpenDatabase } from "./current-state.ts";

export interface DatabaseAssessment {
  /** `take`: it is this cluster's once that is done. `unknown`: it cannot be asked; whatever was so before goes on. */
  readonly is: "ours" | "take" | "unknown" | "not ours";
  readonly condition: NewCondition;
  readonly lookAgain?: Ms;
}

/** So long must the other leader be silent. */
const silence: Ms = 60_000;

/** `had`: the installation id that the status states. */
export function assessDatabase(
  cluster: SipCluster,
  database: DatabaseState,
  had: string | undefined,
): DatabaseAssessment {
  switch (database.kind) {
    case "absent":
      return {
        is: "not ours",
        condition: no("MysqlMissing", "spec.mysql is not set; say which database serves this exchange"),
      };
    case "away":
      return { is: "unknown", condition: no(database.reason, database.message) };
    case "open":
      return judgeOpen(cluster, database, had);
  }
}

function judgeOpen(cluster: SipCluster, database: OpenDatabase, had: string | undefined): DatabaseAssessment {
  const { holder, installationId, beat, isLed, uidNow } = database;
  const { namespace, name } = cluster.reference;
  const isNamesake = holder?.namespace === namespace && holder.name === name;
  if (isNamesake && holder.uid === cluster.uid) return { is: "ours", condition: standing(cluster, database) };
  // Once for each time that it is asked: two SipClusters with the annotation would take it from each other for ever.
  const isServed = cluster.takeOver === installationId && had === installationId && !isNamesake;
  if (holder === undefined || (cluster.takeOver === installationId && !isServed))
    return { is: "take", condition: standing(cluster, database) };
  if (isNamesake) {
    if (uidNow === cluster.uid && (isLed || beat.age >= silence))
      return { is: "take", condition: standing(cluster, database) };
    return {
      is: "not ours",
      condition: no(
        "DatabaseTaken",
        `the database belongs to an earlier SipCluster ${name}, whose operator was alive in the last minute; taken over when it has been silent for ${silence / 1000} s, or at once with the annotation sip.strowger.dev/take-over: ${installationId}`,
      ),
      lookAgain: 10_000,
    };
  }
  const who =
    holder.namespace === namespace ? `SipCluster ${holder.name}` : "a SipCluster of another namespace";
  const how = isServed
    ? "It was taken back since this one took it over; to take it again, remove the annotation sip.strowger.dev/take-over, and then set it again"
    : `To take it, annotate this one with sip.strowger.dev/take-over: ${installationId}`;
  return {
    is: "not ours",
    condition: no(
      "DatabaseTaken",
      `the database belongs to ${who}; one database serves one SipCluster. ${how}`,
    ),
    lookAgain: 30_000,
  };
}

/** Whether a migration that waited may go on. */
export const isMigrationDue = ({ isLed, schema: { next }, nodes }: OpenDatabase): boolean =>
  isLed && next !== undefined && olderThan(next.servesFrom, nodes).length === 0;

const olderThan = (number: number, nodes: readonly NodeRow[]): readonly NodeRow[] =>
  nodes.filter(({ schemaMax, sinceBeat }) => schemaMax < number && number > 1 && sinceBeat < goneAfter);

/** What is wrong, or worth knowing, although it serves. */
function standing(cluster: SipCluster, database: OpenDatabase): NewCondition {
  const verdict = serves(database);
  if (verdict.status !== "True") return verdict;
  const { login, replaced } = database;
  if (login.operator !== undefined)
    return no(login.operator.reason, `${login.operator.message}; connections that are open go on`);
  const nodes = nodesTrouble(cluster, liveNodes(database.nodes));
  if (nodes !== undefined) return nodes;
  return replaced === undefined || verdict.reason !== "Connected"
    ? verdict
    : { ...verdict, reason: databaseReplaced, message: replaced };
}

/** The reason that stands for a day. */
export const databaseReplaced = "DatabaseReplaced";

function nodesTrouble({ mysql }: SipCluster, nodes: readonly NodeRow[]): NewCondition | undefined {
  const troubled = nodes.filter(({ databaseError }) => databaseError !== "");
  const [first] = troubled;
  if (first === undefined) return undefined;
  const secret = mysql === undefined ? "" : `; check Secret ${mysql.credentialsSecret}, which they mount`;
  return no(
    "NodesDatabaseError",
    `nodes (${names(troubled)}) cannot sign in anew: ${first.databaseError}; connections that are open go on${secret}`,
  );
}

function serves({ schema, nodes }: OpenDatabase): NewCondition {
  const { number, servesFrom, next } = schema;
  const behind = liveNodes(nodes).filter(({ schemaMax }) => schemaMax < servesFrom);
  const ahead = liveNodes(nodes).filter(({ schemaMin }) => schemaMin > number);
  if (ahead.length > 0)
    return no(
      "SchemaTooOld",
      `the database has migration ${number}, and nodes (${names(ahead)}) need ${ahead[0]?.schemaMin ?? 0}; upgrade the operator, which migrates`,
    );
  if (behind.length > 0)
    return no(
      "SchemaTooNew",
      `the database has migration ${number}, which serves nodes that know ${servesFrom} or later, and nodes (${names(behind)}) know up to ${behind[0]?.schemaMax ?? 0}; upgrade them by spec.version or spec.image`,
    );
  const yes = { type: "DatabaseReady", status: "True" } as const;
  if (next !== undefined) {
    const older = olderThan(next.servesFrom, nodes).map(({ name, id }) => name || id);
    const message =
      older.length > 0 ? sayWaiting({ ...next, nodes: older }) : `migration ${next.label} is being applied`;
    return { ...yes, reason: "MigrationWaits", message };
  }
  return { ...yes, reason: "Connected", message: "the database is this cluster's" };
}

const names = (nodes: readonly { readonly name: string; readonly id: string }[]): string =>
  nodes
    .slice(0, 5)
    .map(({ name, id }) => name || id)
    .join(", ");

const no = (reason: Reason, message: string): NewCondition => ({
  type: "DatabaseReady",
  status: "False",
  reason,
  message,
});
