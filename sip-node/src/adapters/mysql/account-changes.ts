/** Reads whether users, domains and aliases have changed, and the time of the database (`../../location/account-changes.ts`). */
import { type AccountChanges, unknownTables } from "../../location/account-changes.ts";
import type { Row, Session } from "./database.ts";
import { databaseNow, secondsSinceLocal } from "./database-time.ts";

/** Tables that are changed by other tools than the operator. `strowger_node` is written all the time: it shows whether the server tells. */
const tableNames = ["domain", "subscriber", "dbaliases", "strowger_domain", "strowger_subscriber"];
const ownTable = "strowger_node";
/** Changes of one second are told as one. The clocks of the table and of the statement are read one after the other. */
const freshSeconds = 2;

interface ChangeRow extends Row {
  readonly seq: string | number;
  readonly now: string | number;
}

interface TableRow extends Row {
  readonly name: string;
  readonly changed: string | null;
  readonly age: string | number | null;
}

export async function readAccountChanges(session: Session, withTables: boolean): Promise<AccountChanges> {
  // First the tables, so that the number is not older than they are
  const tables = withTables ? await readTables(session) : undefined;
  const rows = await session.read<ChangeRow>(
    "account changes",
    `SELECT MAX(change_seq) AS seq, ${databaseNow} AS now FROM strowger_meta`,
    [],
  );
  return {
    changeSeq: String(rows[0]?.seq ?? ""),
    databaseNow: Number(rows[0]?.now ?? 0),
    tables: tables === undefined ? undefined : textOf(tables),
    isTableFresh: tables?.some(isFresh) === true,
  };
}

const readTables = (session: Session): Promise<TableRow[]> =>
  session.read<TableRow>(
    "table changes",
    `SELECT table_name AS name, CAST(update_time AS CHAR) AS changed, ${secondsSinceLocal("update_time")} AS age
FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?, ?, ?, ?)`,
    [...tableNames, ownTable],
  );

function textOf(rows: readonly TableRow[]): string {
  const isTold = rows.some(({ name, changed }) => name.toLowerCase() === ownTable && changed !== null);
  if (!isTold) return unknownTables;
  return rows
    .filter(({ name }) => name.toLowerCase() !== ownTable)
    .map(({ name, changed }) => `${name} ${changed ?? "-"}`)
    .sort()
    .join(", ");
}

const isFresh = ({ name, age }: TableRow): boolean =>
  name.toLowerCase() !== ownTable && age !== null && Number(age) < freshSeconds;
