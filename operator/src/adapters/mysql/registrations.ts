/** The registered users: one read of all bindings, for figures that need not be exact. */
import type { Statements } from "./database.ts";
import { databaseSeconds } from "./database-time.ts";
import type { Installation } from "./installation.ts";
import type { Account } from "./user-rows.ts";

export interface Registration extends Account {
  readonly contacts: number;
  /** Time of the first registration in milliseconds since 1970; undefined if another tool wrote the bindings. */
  readonly since: number | undefined;
}

/** Without expired bindings. A binding with `expires` 0 never expires (OpenSIPS). */
export async function readRegistrations(database: Statements): Promise<readonly Registration[]> {
  const rows = await database.rows<Account & { contacts: number; since: number | string | null }>(
    `SELECT l.username, LOWER(l.domain) AS domain, COUNT(*) AS contacts, MIN(NULLIF(f.registered_at, 0)) AS since
       FROM location l LEFT JOIN strowger_flow f ON f.contact_id = l.contact_id
      WHERE l.expires = 0 OR l.expires > ${databaseSeconds} GROUP BY l.username, l.domain`,
  );
  return rows.map(({ contacts, since, ...account }) => ({
    ...account,
    contacts: Number(contacts),
    since: since === null ? undefined : Number(since),
  }));
}

/** The number of SipUsers with rows, by domain name. */
export async function countOwnedUsers({ database, id }: Installation): Promise<ReadonlyMap<string, number>> {
  const rows = await database.rows<{ domain: string; users: number }>(
    `SELECT LOWER(JSON_UNQUOTE(JSON_EXTRACT(fields, '$.domain'))) AS domain, COUNT(*) AS users
       FROM strowger_owner WHERE installation_id = ? AND kind = 'SipUser' GROUP BY 1`,
    [id],
  );
  return new Map(rows.map(({ domain, users }) => [domain, Number(users)]));
}
