/** Finds the accounts of names: reads `domain`, `subscriber` and `dbaliases` with their `strowger_*` rows, in one statement for a batch. */
import {
  type Account,
  type Aor,
  defaultRegistration,
  type Domain,
  type Resolution,
} from "../../location/account.ts";
import { padToPowerOfTwo, placeholders } from "./placeholders.ts";
import type { Row, Session } from "./database.ts";
import type { TableColumns } from "./table-columns.ts";

export interface AccountRow extends Row {
  readonly asked_domain: string;
  readonly asked_username: string | null;
  readonly canonical: string;
  readonly realm: string | null;
  readonly enabled: number | null;
  readonly min_expires: number | null;
  readonly default_expires: number | null;
  readonly max_expires: number | null;
  readonly max_contacts: number | null;
  readonly on_max_contacts: string | null;
  readonly algorithms: string | null;
  readonly anonymous_callers: string | null;
  readonly username: string | null;
  readonly domain: string | null;
  readonly password: string | null;
  readonly ha1: string | null;
  readonly ha1_sha256: string | null;
  readonly ha1b: string | null;
  readonly ha1b_sha256: string | null;
  readonly user_enabled: number | null;
  readonly user_max_contacts: number | null;
}

export const settings =
  "sc.realm, sc.enabled, sc.min_expires, sc.default_expires, sc.max_expires, sc.max_contacts, sc.on_max_contacts, sc.algorithms, sc.anonymous_callers";
/**
 * A column of OpenSIPS's tables for the comparison with a column of a `strowger_*` table. MySQL refuses to compare two columns of different
 * binary collations (error 1267). A converted column takes the collation of the other one, whose index is then used.
 */
export const converted = (column: string): string => `CONVERT(${column} USING utf8mb4)`;
export const canonical = `COALESCE(sd.alias_of, ${converted("d.domain")})`;
export const sideTable = `LEFT JOIN strowger_subscriber ss ON ss.username = ${converted("s.username")} AND ss.domain = ${converted("s.domain")}`;

/** One text for each pair of sizes: mysql2 finds a prepared statement by its text. */
const statements = new Map<string, string>();

function statementFor(usernames: number, domains: number, columns: TableColumns): string {
  const key = `${usernames} ${domains} ${columns.sha256} ${columns.ha1b} ${columns.collation}`;
  const known = statements.get(key) ?? statement(usernames, domains, columns);
  statements.set(key, known);
  return known;
}

function statement(usernames: number, domains: number, { sha256, ha1b, collation }: TableColumns): string {
  const asTheirs = `CONVERT(${canonical} USING utf8mb4)${collation === undefined ? "" : ` COLLATE ${collation}`}`;
  return `
SELECT d.domain AS asked_domain, s.username AS asked_username, ${canonical} AS canonical, ${settings},
  s.username, s.domain, s.password, s.ha1, ${sha256} AS ha1_sha256,
  ${ha1b} AS ha1b, ss.ha1b_sha256, ss.enabled AS user_enabled, ss.max_contacts AS user_max_contacts
FROM domain d LEFT JOIN strowger_domain sd ON sd.domain = ${converted("d.domain")}
  LEFT JOIN strowger_domain sc ON sc.domain = ${canonical}
  LEFT JOIN subscriber s ON s.domain = ${asTheirs} AND s.username IN (${placeholders(usernames)})
  ${sideTable}
WHERE d.domain IN (${placeholders(domains)})
UNION ALL
SELECT d.domain, a.alias_username, ${converted("a.domain")}, ${settings},
  s.username, s.domain, s.password, s.ha1, ${sha256}, ${ha1b}, ss.ha1b_sha256, ss.enabled, ss.max_contacts
FROM domain d LEFT JOIN strowger_domain sd ON sd.domain = ${converted("d.domain")}
  JOIN dbaliases a ON a.alias_domain = ${asTheirs} AND a.alias_username IN (${placeholders(usernames)})
  JOIN subscriber s ON s.username = a.username AND s.domain = a.domain
  LEFT JOIN strowger_domain sc ON sc.domain = ${converted("a.domain")}
  ${sideTable}
WHERE d.domain IN (${placeholders(domains)})`;
}

export async function resolveNames(
  session: Session,
  names: readonly Aor[],
  columns: TableColumns,
): Promise<readonly Resolution[]> {
  const usernames = padToPowerOfTwo([...new Set(names.map(({ username }) => username))]);
  const domains = padToPowerOfTwo([...new Set(names.map(({ domain }) => domain))]);
  const values = [...usernames, ...domains, ...usernames, ...domains];
  const rows = await session.read<AccountRow>(
    "resolve",
    statementFor(usernames.length, domains.length, columns),
    values,
  );
  return names.map((name) => resolution(name, rows));
}

/** The table's collation may ignore case. The user part of a SIP URI is case-sensitive, so it is compared again here. */
function resolution(name: Aor, rows: readonly AccountRow[]): Resolution {
  const ofDomain = rows.filter((row) => row.asked_domain.toLowerCase() === name.domain);
  const row = ofDomain.find((one) => one.asked_username === name.username);
  const any = row ?? ofDomain[0];
  if (any === undefined) return { domain: undefined, account: undefined };
  const domain = row === undefined ? domainOf({ ...any }) : domainOf(row);
  return { domain, account: row === undefined ? undefined : accountOf(row, domain) };
}

export function domainOf(row: AccountRow): Domain {
  const name = row.canonical.toLowerCase();
  const defaults = defaultRegistration;
  return {
    name,
    realm: row.realm ?? row.canonical,
    isEnabled: row.enabled !== 0,
    registration: {
      minExpires: row.min_expires ?? defaults.minExpires,
      defaultExpires: row.default_expires ?? defaults.defaultExpires,
      maxExpires: row.max_expires ?? defaults.maxExpires,
      maxContacts: row.max_contacts ?? defaults.maxContacts,
      onMaxContacts: row.on_max_contacts === "Reject" ? "Reject" : defaults.onMaxContacts,
    },
    algorithms: (row.algorithms ?? "MD5")
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text === "MD5" || text === "SHA-256"),
    anonymousCallers: row.anonymous_callers === "Reject" ? "Reject" : "Allow",
  };
}

export function accountOf(row: AccountRow, domain: Domain): Account {
  const text = (value: string | null): string | undefined =>
    value === null || value === "" ? undefined : value;
  return {
    username: row.username ?? "",
    domain: (row.domain ?? "").toLowerCase(),
    realm: domain.realm,
    isEnabled: row.user_enabled !== 0,
    ha1: text(row.ha1),
    ha1Sha256: text(row.ha1_sha256),
    ha1b: text(row.ha1b),
    ha1bSha256: text(row.ha1b_sha256),
    password: text(row.password),
    algorithms: domain.algorithms,
    registration: {
      ...domain.registration,
      maxContacts: row.user_max_contacts ?? domain.registration.maxContacts,
    },
  };
}
