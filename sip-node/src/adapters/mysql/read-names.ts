/** Reads all names of domains, users or aliases in pages by key, for the copy of a node that starts. */
import type { Aor } from "../../location/account.ts";
import type { NameKind } from "../../location/location-store.ts";
import type { Row, Session } from "./database.ts";

/** The values that are compared were read from the same columns. So a column of any charset and collation can compare them. */
const users = (table: string, username: string, domain: string) =>
  `SELECT ${username} AS username, ${domain} AS domain FROM ${table}
WHERE ${username} > ? OR (${username} = ? AND ${domain} > ?) ORDER BY ${username}, ${domain} LIMIT `;

const statements: Readonly<Record<NameKind, string>> = {
  domains: "SELECT '' AS username, domain FROM domain WHERE domain > ? ORDER BY domain LIMIT ",
  users: users("subscriber", "username", "domain"),
  aliases: users("dbaliases", "alias_username", "alias_domain"),
};

export async function readNames(
  session: Session,
  kind: NameKind,
  { username, domain }: Aor,
  limit: number,
): Promise<readonly Aor[]> {
  const values = kind === "domains" ? [domain] : [username, username, domain];
  const rows = await session.read<Row & Aor>("names", `${statements[kind]}${limit}`, values);
  return rows.map((row) => ({ username: row.username, domain: row.domain }));
}
