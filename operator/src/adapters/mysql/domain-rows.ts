/** Rows of `domain` (OpenSIPS) and of `strowger_domain`. */
import type { Statements } from "./database.ts";
import { databaseDatetime } from "./database-time.ts";
import type { WriteTransaction } from "./installation.ts";

/** A row of `strowger_domain`. Null: the default of the node. */
export interface DomainSettings {
  readonly domain: string;
  /** The domain of which this one is an alias. Then all other settings are defaults. */
  readonly aliasOf: string | null;
  readonly realm: string | null;
  readonly isEnabled: boolean;
  readonly minExpires: number | null;
  readonly defaultExpires: number | null;
  readonly maxExpires: number | null;
  readonly maxContacts: number | null;
  /** `ReplaceOldest` or `Reject`. */
  readonly onMaxContacts: string | null;
  /** Comma-separated, in the order offered. */
  readonly algorithms: string | null;
  /** `Allow` or `Reject`. */
  readonly anonymousCallers: string | null;
}

/** The names that have a row in `domain`, in the table's spelling. */
export async function readDomains(
  database: Statements,
  names: readonly string[],
): Promise<readonly string[]> {
  const rows = await database.rows<{ domain: string }>(
    `SELECT domain FROM domain WHERE domain IN (${placeholdersFor(names)})`,
    names,
  );
  return rows.map(({ domain }) => domain);
}

export async function readDomainSettings(
  database: Statements,
  names: readonly string[],
): Promise<readonly DomainSettings[]> {
  const rows = await database.rows<Omit<DomainSettings, "isEnabled"> & { enabled: number }>(
    `SELECT domain, alias_of AS aliasOf, realm, enabled, min_expires AS minExpires, default_expires AS defaultExpires,
       max_expires AS maxExpires, max_contacts AS maxContacts,
       on_max_contacts AS onMaxContacts, algorithms, anonymous_callers AS anonymousCallers
       FROM strowger_domain WHERE domain IN (${placeholdersFor(names)})`,
    names,
  );
  return rows.map(({ enabled, ...row }) => ({ ...row, isEnabled: enabled === 1 }));
}

/** Throws `DuplicateKey` if the domain exists. */
export async function insertDomain(change: WriteTransaction, domain: string): Promise<void> {
  await change.run(`INSERT INTO domain (domain, last_modified) VALUES (?, ${databaseDatetime})`, [domain]);
}

export async function saveDomainSettings(change: WriteTransaction, row: DomainSettings): Promise<void> {
  await change.run(
    `INSERT INTO strowger_domain
       (domain, alias_of, realm, enabled, min_expires, default_expires, max_expires, max_contacts, on_max_contacts,
        algorithms, anonymous_callers, change_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE alias_of = VALUES(alias_of), realm = VALUES(realm), enabled = VALUES(enabled),
       min_expires = VALUES(min_expires), default_expires = VALUES(default_expires), max_expires = VALUES(max_expires),
       max_contacts = VALUES(max_contacts), on_max_contacts = VALUES(on_max_contacts), algorithms = VALUES(algorithms),
       anonymous_callers = VALUES(anonymous_callers), change_seq = VALUES(change_seq)`,
    [
      row.domain,
      row.aliasOf,
      row.realm,
      row.isEnabled ? 1 : 0,
      row.minExpires,
      row.defaultExpires,
      row.maxExpires,
      row.maxContacts,
      row.onMaxContacts,
      row.algorithms,
      row.anonymousCallers,
      change.changeSeq,
    ],
  );
}

export async function deleteDomain(change: WriteTransaction, domain: string): Promise<void> {
  await change.run("DELETE FROM domain WHERE domain = ?", [domain]);
  await change.run("DELETE FROM strowger_domain WHERE domain = ?", [domain]);
}

const placeholdersFor = (values: readonly unknown[]): string => values.map(() => "?").join(", ");
