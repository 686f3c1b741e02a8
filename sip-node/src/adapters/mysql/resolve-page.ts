/**
 * Finds the accounts of a page of users, for the copy of a node that starts: one range of `subscriber`, which costs a quarter of a list of names.
 * The tables must sort names in the same way (`table-columns.ts`).
 */
import type { Aor, Domain, Resolution } from "../../location/account.ts";
import { aorText } from "../../location/account.ts";
import type { Session } from "./database.ts";
import { nameRange, nameRangeValues } from "./name-range.ts";
import { inParts } from "./placeholders.ts";
import {
  type AccountRow,
  accountOf,
  canonical,
  converted,
  domainOf,
  resolveNames,
  settings,
  sideTable,
} from "./resolve-names.ts";
import type { TableColumns } from "./table-columns.ts";

/** The first table is read first: otherwise MySQL may begin with all domains. */
const statement = ({ sha256, ha1b }: TableColumns): string => `
SELECT d.domain AS asked_domain, s.username AS asked_username, ${canonical} AS canonical, ${settings},
  s.username, s.domain, s.password, s.ha1, ${sha256} AS ha1_sha256,
  ${ha1b} AS ha1b, ss.ha1b_sha256, ss.enabled AS user_enabled, ss.max_contacts AS user_max_contacts
FROM subscriber s STRAIGHT_JOIN domain d ON d.domain = s.domain
  LEFT JOIN strowger_domain sd ON sd.domain = ${converted("d.domain")}
  LEFT JOIN strowger_domain sc ON sc.domain = ${canonical}
  ${sideTable}
WHERE ${nameRange("s")}`;

/** `names`: all users from the first to the last. Those whose domain is not served, or is an alias, are read by their names. */
export async function resolvePage(
  session: Session,
  names: readonly Aor[],
  columns: TableColumns,
): Promise<readonly Resolution[]> {
  const rows = await session.read<AccountRow>("resolve page", statement(columns), nameRangeValues(names));
  const found = resolutionsOf(rows);
  const others = names.filter((name) => !found.has(aorText(name)));
  const ofOthers = await inParts(others, (part) => resolveNames(session, part, columns));
  others.forEach((name, i) => found.set(aorText(name), ofOthers[i] ?? unknown));
  return names.map((name) => found.get(aorText(name)) ?? unknown);
}

/** Users of one domain share its settings. */
function resolutionsOf(rows: readonly AccountRow[]): Map<string, Resolution> {
  const domains = new Map<string, Domain>();
  const found = new Map<string, Resolution>();
  for (const row of rows) {
    const domain = domains.get(row.canonical) ?? domainOf(row);
    domains.set(row.canonical, domain);
    const account = accountOf(row, domain);
    if (account.domain === domain.name) found.set(aorText(account), { domain, account });
  }
  return found;
}

const unknown: Resolution = { domain: undefined, account: undefined };
