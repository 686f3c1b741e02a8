/**
 * Values that a column cannot hold, because its table has another charset than utf8mb4 or is shorter than OpenSIPS 4.0's: a database is
 * served as it was found. MySQL refuses the whole statement; whose value it was, is found by asking for each alone.
 */
import type { Aor } from "../../location/account.ts";
import { isAscii } from "../../wire/wire-text.ts";

// Illegal mix of collations (of two, three, more operands); invalid character string; cannot convert (MySQL 8)
const refusedNames = new Set([1267, 1270, 1271, 1300, 3854, 3988]);
// Incorrect string value; data too long; out of range; and those above
const refusedValues = new Set([1366, 1406, 1264, 1300, 3854, 3988]);

/**
 * Reads by names. A single name that its column cannot hold has no row, and `unheld` answers for it; a batch with such a name fails as a
 * whole, and whoever joined it asks again in parts.
 */
export async function readHeld<Answer>(
  names: readonly Aor[],
  read: () => Promise<readonly Answer[]>,
  unheld: (name: Aor) => Answer | Promise<Answer>,
): Promise<readonly Answer[]> {
  try {
    return await read();
  } catch (error) {
    const [name, another] = names;
    // Where plain names are refused too, it is the tables that do not fit together
    if (name === undefined || another !== undefined || isAscii(name.username)) throw error;
    if (!refusedNames.has(numberOf(error))) throw error;
    return [await unheld(name)];
  }
}

/** The column that refused a value; undefined for an error of another kind. */
export function unfitColumn(error: unknown): string | undefined {
  if (!refusedValues.has(numberOf(error))) return undefined;
  const [, column] = /column [`']?(?:[^`']*[`']\.[`'])*(\w+)[`']?/i.exec(messageOf(error)) ?? [];
  return column ?? "values";
}

const numberOf = (error: unknown): number => (error as { readonly errno?: number }).errno ?? 0;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "");
