/** All names from one to another, in the order of the index on user name and domain. */
import type { Aor } from "../../location/account.ts";

/** A condition on the columns `username` and `domain` of a table. Written so that MySQL and MariaDB read one range of the index. */
export const nameRange = (table: string): string =>
  `(${table}.username > ? OR (${table}.username = ? AND ${table}.domain >= ?)) AND (${table}.username < ? OR (${table}.username = ? AND ${table}.domain <= ?))`;

/** Its values, from the first to the last of these names. */
export function nameRangeValues(names: readonly Aor[]): string[] {
  const [first, last] = [names[0], names[names.length - 1]];
  return [first, last].flatMap((name) => [name?.username ?? "", name?.username ?? "", name?.domain ?? ""]);
}
