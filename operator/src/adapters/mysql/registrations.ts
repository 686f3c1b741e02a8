/** Who is registered: one read of all bindings, for figures that need not be exact. */
import type { Statements } from "./database.ts";
import { databaseSeconds } from "./database-time.ts";
import type { Installation } from "./installation.ts";
import type { Account } from "./user-rows.ts";

export interface Registration extends Account {
  readonly contacts: number;
  /** When the first of them registered, in milliseconds since 1970; undefined where another tool wrote them. */
  readonly since: number | undefined;
}

/** Expired bindings do not count; one that expires at 0 never does (OpenSIPS). */
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

/** How many SipUsers have rows in each domain, by its name. */
export async function countOwnedUsers({ database, id }: Installation): Promise<ReadonlyMap<string, number>> {
  const rows = await database.rows<{ domain: string; users: number }>(
    `SELECT LOWER(JSON_UNQUOTE(JSON_EXTRACT(fields, '$.domain'))) AS domain, COUNT(*) AS users
       FROM strowger_owner WHERE installation_id = ? AND kind = 'SipUser' GROUP BY 1`,
    [id],
  );
  return new Map(rows.map(({ domain, users }) => [domain, Number(users)]));
}
