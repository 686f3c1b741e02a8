/**
 * Writing as the only operator of a database. An operator that starts raises the epoch. Every write transaction first raises the change number
 * under this epoch. So an operator that was suspended while another one took over can write nothing more, also on Galera.
 */
import { Batches } from "../../runtime/batches.ts";
import { monotonicClock } from "../../runtime/clock.ts";
import type { Database, Statements, Value } from "./database.ts";
import { DatabaseUnavailable } from "./database-unavailable.ts";
import { PendingInserts, type Insertion } from "./pending-inserts.ts";
import { databaseNow } from "./database-time.ts";
import { columnsOf } from "./opensips-tables.ts";

/** The optional columns of `subscriber`. The table of an older OpenSIPS is used as it is. */
export interface SubscriberShape {
  readonly hasSha256: boolean;
  /** If false, it is in `strowger_subscriber`. */
  readonly hasHa1b: boolean;
}

/** Another operator has taken this database over: this operator must stop writing to it. */
export class LeadershipLost extends Error {
  constructor() {
    super("another operator has taken this database over");
    this.name = "LeadershipLost";
  }
}

/** A write transaction: its statements, and its number. The changes of other objects may be in it, too. */
export interface WriteTransaction extends Statements {
  readonly installationId: string;
  readonly changeSeq: number;
  /**
   * Inserts a row before the next other statement of this transaction, and at the latest at its end. Rows of one `insertion` are inserted
   * together. Resolves before that: an error of the statement is an error of the transaction.
   */
  insert(insertion: Insertion, values: readonly Value[]): Promise<void>;
}

export interface Installation {
  readonly id: string;
  /** Raised by each operator that takes the database. Undefined: this process only observes, because another SipCluster owns the database. */
  readonly epoch: number | undefined;
  readonly database: Database;
  readonly subscriber: SubscriberShape;
  /**
   * Runs `work` in a write transaction, together with other work that comes at the same time. It may run more than once. Throws
   * `LeadershipLost` if the epoch is another one. An observer first takes the database.
   */
  write(work: (change: WriteTransaction) => Promise<void>): Promise<void>;
}

/** Becomes the operator of this database. `name` identifies this process in `strowger_meta`. The present operator keeps its epoch. */
export async function takeInstallation(
  database: Database,
  name: string,
  before?: { readonly id: string; readonly epoch: number },
): Promise<Installation> {
  const { id, epoch } = await database.transaction(async (transaction) => {
    const found = await idAndEpoch(transaction);
    return found.id === before?.id && found.epoch === before.epoch ? found : raiseEpoch(transaction, name);
  });
  return installationUnder(database, id, epoch);
}

/** Like `takeInstallation`, if the database is free or belongs to this SipCluster; afterwards it belongs to it. Undefined: another SipCluster has it. */
export async function takeInstallationFor(
  cluster: ClusterIdentity,
  database: Database,
  name: string,
  before?: { readonly id: string; readonly epoch: number },
): Promise<Installation | undefined> {
  const taken = await database.transaction(async (transaction) => {
    const { namespace, name: clusterName, uid } = cluster;
    const isOurs = await transaction.run(
      `UPDATE strowger_meta SET cluster_namespace = ?, cluster_name = ?, cluster_uid = ?, change_seq = change_seq + 1
        WHERE id = 1 AND (cluster_name = '' OR (cluster_namespace = ? AND cluster_name = ? AND cluster_uid = ?))`,
      [namespace, clusterName, uid, namespace, clusterName, uid],
    );
    if (isOurs !== 1) return undefined;
    const found = await idAndEpoch(transaction);
    return found.id === before?.id && found.epoch === before.epoch ? found : raiseEpoch(transaction, name);
  });
  return taken === undefined ? undefined : installationUnder(database, taken.id, taken.epoch);
}

async function raiseEpoch(
  transaction: Statements,
  name: string,
): Promise<{ readonly id: string; readonly epoch: number }> {
  await transaction.run(
    `UPDATE strowger_meta SET epoch = epoch + 1, leader = ?,
       leader_beat_at = ${databaseNow} WHERE id = 1`,
    [name],
  );
  return idAndEpoch(transaction);
}

async function installationUnder(database: Database, id: string, epoch: number): Promise<Installation> {
  const groups = new Batches<Work, void>((works) => writeGroup(database, id, epoch, works), groupLimits);
  const subscriber = await shapeOf(database);
  return { id, epoch, database, subscriber, write: (work) => groups.add(work) };
}

/** Reads a database that belongs to another SipCluster, and takes it with the first write. */
export async function observeInstallation(database: Database, name: string): Promise<Installation> {
  const { id } = await idAndEpoch(database);
  let taken: Promise<Installation> | undefined;
  const write = async (work: (change: WriteTransaction) => Promise<void>): Promise<void> =>
    (await (taken ??= takeInstallation(database, name))).write(work);
  return { id, epoch: undefined, database, subscriber: await shapeOf(database), write };
}

type Work = (change: WriteTransaction) => Promise<void>;

/** Write transactions of an installation wait for each other anyway, because each changes the row of `strowger_meta`. */
const groupLimits = { size: 32, spacing: 100, quiet: 15, clock: monotonicClock };

/** One transaction for all. If one of several works fails, each is repeated in its own transaction, so that only this one fails. */
async function writeGroup(
  database: Database,
  id: string,
  epoch: number,
  works: readonly Work[],
): Promise<readonly PromiseSettledResult<void>[]> {
  try {
    await writeUnder(database, id, epoch, works);
    return works.map(() => ({ status: "fulfilled", value: undefined }));
  } catch (error) {
    if (works.length === 1 || error instanceof LeadershipLost || error instanceof DatabaseUnavailable)
      throw error;
  }
  const results: (readonly PromiseSettledResult<void>[])[] = [];
  for (const work of works) results.push(await Promise.allSettled([writeUnder(database, id, epoch, [work])]));
  return results.flat();
}

const writeUnder = (database: Database, id: string, epoch: number, works: readonly Work[]): Promise<void> =>
  database.transaction(async (transaction) => {
    const raised = await transaction.run(
      "UPDATE strowger_meta SET change_seq = change_seq + 1 WHERE id = 1 AND installation_id = ? AND epoch = ?",
      [id, epoch],
    );
    if (raised !== 1) throw new LeadershipLost();
    const [row] = await transaction.rows<{ changeSeq: number }>(
      "SELECT change_seq AS changeSeq FROM strowger_meta WHERE id = 1",
    );
    const inserts = new PendingInserts(transaction);
    const change: WriteTransaction = {
      rows: async (sql, values) => (await inserts.flush(), transaction.rows(sql, values)),
      run: async (sql, values) => (await inserts.flush(), transaction.run(sql, values)),
      insert: (insertion, values) => Promise.resolve(inserts.add(insertion, values)),
      installationId: id,
      changeSeq: row?.changeSeq ?? 0,
    };
    for (const work of works) await work(change);
    await inserts.flush();
  });

/** Whether this is no longer the database that was taken: it was emptied, replaced, or restored to an earlier state. */
export async function isAnotherDatabase(
  database: Statements,
  taken: { readonly id: string; readonly epoch: number },
): Promise<boolean> {
  const [row] = await database.rows<{ id: string; epoch: number }>(
    "SELECT installation_id AS id, epoch FROM strowger_meta WHERE id = 1",
  );
  return row === undefined || row.id !== taken.id || row.epoch < taken.epoch;
}

async function idAndEpoch(statements: Statements): Promise<{ readonly id: string; readonly epoch: number }> {
  const [row] = await statements.rows<{ id: string; epoch: number }>(
    "SELECT installation_id AS id, epoch FROM strowger_meta WHERE id = 1",
  );
  if (row === undefined) throw new LeadershipLost();
  return row;
}

async function shapeOf(database: Database): Promise<SubscriberShape> {
  const columns = await columnsOf(database, "subscriber");
  return { hasSha256: columns.has("ha1_sha256"), hasHa1b: columns.has("ha1b") };
}

/** The SipCluster that a database belongs to. */
export interface ClusterIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Undefined: the database belongs to no SipCluster. */
export async function clusterOfDatabase(database: Statements): Promise<ClusterIdentity | undefined> {
  const [row] = await database.rows<ClusterIdentity>(
    "SELECT cluster_namespace AS namespace, cluster_name AS name, cluster_uid AS uid FROM strowger_meta WHERE id = 1",
  );
  return row === undefined || row.name === "" ? undefined : row;
}

export async function setClusterOfDatabase(
  change: WriteTransaction,
  cluster: ClusterIdentity | undefined,
): Promise<void> {
  await change.run(
    "UPDATE strowger_meta SET cluster_namespace = ?, cluster_name = ?, cluster_uid = ? WHERE id = 1",
    [cluster?.namespace ?? "", cluster?.name ?? "", cluster?.uid ?? ""],
  );
}
