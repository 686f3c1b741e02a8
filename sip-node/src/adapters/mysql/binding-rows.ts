/** Reads bindings as rows of `location` and `strowger_flow` (see `../../../../schema`). */
import { type Aor, aorText } from "../../location/account.ts";
import type { AorBindings, Binding, OwnedBinding } from "../../location/binding.ts";
import { flowOf, parseFlowKey } from "../../wire/flow.ts";
import type { Flow } from "../../wire/flow.ts";
import { isProblem } from "../../wire/problem.ts";
import { parseUri } from "../../wire/uri.ts";
import { toWireText } from "../../wire/wire-text.ts";
import type { Row, Session } from "./database.ts";
import { databaseSeconds } from "./database-time.ts";
import { nameRange, nameRangeValues } from "./name-range.ts";
import { padToPowerOfTwo, placeholders } from "./placeholders.ts";

/** The driver returns a number as text when the UNION makes its type a larger one. */
interface BindingRow extends Row {
  readonly id: string;
  readonly contact: string;
  readonly received: string | null;
  readonly expires_in: number | string;
  readonly is_permanent: number | string;
  readonly q: number | string;
  readonly callid: string;
  readonly cseq: number | string;
  readonly user_agent: string;
  readonly sip_instance: string | null;
  readonly flow: string | null;
  readonly owner_node: string | null;
  readonly reg_id: number | string | null;
  readonly nonce_at: number | string | null;
  readonly nonce_count: number | string | null;
  readonly registered_at: number | string | null;
  readonly refreshed_at: number | string | null;
}

/** A row of `location`, or one of `strowger_aor` with the version only. */
type ListRow = BindingRow & Aor & { readonly version: string | number | null };

const columnCount = 17;
const columns = `CAST(l.contact_id AS CHAR) AS id, l.contact, l.received,
  CAST(l.expires AS SIGNED) - ${databaseSeconds} AS expires_in, l.expires = 0 AS is_permanent, l.q, l.callid, l.cseq, l.user_agent,
  l.sip_instance, f.flow, f.owner_node, f.reg_id, f.nonce_at, f.nonce_count, f.registered_at, f.refreshed_at`;
const tables = "location l LEFT JOIN strowger_flow f ON f.contact_id = l.contact_id";

export async function readBindings(session: Session, aors: readonly Aor[]): Promise<readonly AorBindings[]> {
  const batch = padToPowerOfTwo(aors);
  const values = batch.flatMap(({ username, domain }) => [username, domain]);
  const where = (table: string) =>
    placeholders(batch.length, `(${table}.username = ? AND ${table}.domain = ?)`, " OR ");
  return listsOf(
    aors,
    await session.read<ListRow>("bindings", bindingsStatement(where), [...values, ...values]),
  );
}

/** As `readBindings`, for all users from the first to the last. The tables must sort names in the same way (`table-columns.ts`). */
export async function readBindingsOfPage(
  session: Session,
  aors: readonly Aor[],
): Promise<readonly AorBindings[]> {
  const values = nameRangeValues(aors);
  const rows = await session.read<ListRow>("bindings page", bindingsStatement(nameRange), [
    ...values,
    ...values,
  ]);
  return listsOf(aors, rows);
}

function listsOf(aors: readonly Aor[], rows: readonly ListRow[]): readonly AorBindings[] {
  const rowsOfAor = new Map(aors.map((aor) => [aorText(aor), new Array<ListRow>()]));
  for (const row of rows) rowsOfAor.get(aorText({ ...row, domain: row.domain.toLowerCase() }))?.push(row);
  return aors.map((aor) => {
    const found = rowsOfAor.get(aorText(aor)) ?? [];
    const raised = found.find(({ version }) => version !== null);
    return {
      version: Number(raised?.version ?? 0),
      bindings: found.filter((row) => row !== raised).flatMap(bindingOf),
    };
  });
}

/**
 * Bindings and versions in one statement, so that both are of the same moment. A column of one table is NULL in the rows of the other. The
 * names get one collation: MySQL refuses to join columns of different ones (error 1271).
 */
function bindingsStatement(where: (table: string) => string): string {
  const names = (table: string) =>
    ["username", "domain"]
      .map((column) => `CONVERT(${table}.${column} USING utf8mb4) COLLATE utf8mb4_bin AS ${column}`)
      .join(", ");
  return `SELECT ${names("l")}, ${columns}, NULL AS version FROM ${tables} WHERE ${where("l")}
UNION ALL
SELECT ${names("v")}, ${"NULL, ".repeat(columnCount)}v.version FROM strowger_aor v WHERE ${where("v")}`;
}

export async function readBindingsById(
  session: Session,
  ids: readonly string[],
): Promise<readonly (Binding | undefined)[]> {
  const batch = padToPowerOfTwo(ids);
  const where = `l.contact_id IN (${placeholders(batch.length)})`;
  const rows = await session.read<BindingRow>(
    "binding by id",
    `SELECT ${columns} FROM ${tables} WHERE ${where}`,
    batch,
  );
  return ids.map((id) => rows.filter((row) => row.id === id).flatMap(bindingOf)[0]);
}

export async function readBindingsByContact(
  session: Session,
  key: string,
  limit: number,
): Promise<readonly OwnedBinding[]> {
  const rows = await session.read<BindingRow & Aor>(
    "bindings by contact",
    `SELECT l.username, l.domain, ${columns} FROM strowger_flow f JOIN location l ON l.contact_id = f.contact_id
WHERE f.contact_key = ? AND (l.expires = 0 OR l.expires > ${databaseSeconds}) LIMIT ${limit}`,
    [key],
  );
  return rows.flatMap((row) => {
    const aor = { username: row.username, domain: row.domain.toLowerCase() };
    return bindingOf(row).map((binding) => ({ aor, binding }));
  });
}

/** A row of another tool has no row in `strowger_flow`: then the phone is at `received`, or at its contact. */
function bindingOf(row: BindingRow): Binding[] {
  const contact = toWireText(row.contact);
  const flow = (row.flow === null ? undefined : parseFlowKey(row.flow)) ?? flowOfUri(row.received ?? contact);
  if (flow === undefined) return [];
  return [
    {
      id: row.id,
      contact,
      q: Number(row.q) < 0 ? 1000 : Math.round(Number(row.q) * 1000),
      callId: toWireText(row.callid),
      cseq: Number(row.cseq),
      expiresIn: Number(row.is_permanent) === 1 ? 3600 : Number(row.expires_in),
      flow,
      isBehindNat: row.received !== null,
      ownerNode: row.owner_node ?? "",
      userAgent: row.user_agent,
      instance: row.sip_instance === null ? undefined : toWireText(row.sip_instance),
      regId: Number(row.reg_id ?? 0),
      nonceAt: Number(row.nonce_at ?? 0),
      nonceCount: Number(row.nonce_count ?? 0),
      registeredAt: Number(row.registered_at ?? 0),
      ...(row.refreshed_at === null ? {} : { refreshedAt: Number(row.refreshed_at) }),
    },
  ];
}

function flowOfUri(text: string): Flow | undefined {
  const uri = parseUri(text);
  return isProblem(uri) ? undefined : parseFlowKey(flowOf(uri.host, uri.port ?? 5060).key);
}
