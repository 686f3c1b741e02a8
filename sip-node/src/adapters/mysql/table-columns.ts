/** What the tables of names have in this database: it may be one of an older OpenSIPS, or with another charset. */
import type { Row, Session } from "./database.ts";

export interface TableColumns {
  /** OpenSIPS before 3.2 has no such column. */
  readonly sha256: "s.ha1_sha256" | "''";
  /** Before 3.2 in `subscriber`, since then in `strowger_subscriber`. */
  readonly ha1b: "s.ha1b" | "ss.ha1b";
  /** The collation of the names in `subscriber`, if they are utf8mb4. The compared value gets this collation, so that their index is used. */
  readonly collation: string | undefined;
  /** All tables sort names in the same way. Then what is between two users in one table is between them in the others too. */
  readonly haveOneOrder: boolean;
}

const nameColumns = [
  "domain.domain",
  ...["subscriber", "location", "strowger_aor"].flatMap((table) => [`${table}.username`, `${table}.domain`]),
];

export async function readTableColumns(session: Session): Promise<TableColumns> {
  const rows = await session.read<Row & { readonly name: string; readonly collation: string | null }>(
    "columns",
    `SELECT CONCAT(table_name, '.', column_name) AS name, collation_name AS collation FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name IN ('domain', 'subscriber', 'location', 'strowger_aor')
        AND column_name IN ('ha1_sha256', 'ha1b', 'username', 'domain')`,
    [],
  );
  const collations = new Map(rows.map(({ name, collation }) => [name.toLowerCase(), collation ?? ""]));
  const collation = collations.get("subscriber.domain") ?? "";
  return {
    sha256: collations.has("subscriber.ha1_sha256") ? "s.ha1_sha256" : "''",
    ha1b: collations.has("subscriber.ha1b") ? "s.ha1b" : "ss.ha1b",
    collation: /^utf8mb4_\w+$/.test(collation) ? collation : undefined,
    haveOneOrder: nameColumns.every((name) => collations.get(name) === collation),
  };
}
