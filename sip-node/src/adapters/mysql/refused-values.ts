/**
 * Values that a column cannot store, because its table has another character set than utf8mb4, or shorter columns than OpenSIPS 4.0. A node
 * serves a database as it is. MySQL refuses the whole statement, so a batch is repeated value by value to find the refused one.
 */
import type { Aor } from "../../location/account.ts";
import { isAscii } from "../../wire/wire-text.ts";

// Illegal mix of collations (of two, three, more operands); invalid character string; cannot convert (MySQL 8)
const nameErrors = new Set([1267, 1270, 1271, 1300, 3854, 3988]);
// Incorrect string value; data too long; out of range; and those above
const valueErrors = new Set([1366, 1406, 1264, 1300, 3854, 3988]);

/**
 * Reads by names. A single name that its column cannot store has no row, and `answerRefused` answers for it. A batch with such a name
 * fails as a whole, and its callers read again in parts.
 */
export async function readByNames<Answer>(
  names: readonly Aor[],
  read: () => Promise<readonly Answer[]>,
  answerRefused: (name: Aor) => Answer | Promise<Answer>,
): Promise<readonly Answer[]> {
  try {
    return await read();
  } catch (error) {
    const [name, another] = names;
    // If ASCII names are refused too, the tables do not fit together
    if (name === undefined || another !== undefined || isAscii(name.username)) throw error;
    if (!nameErrors.has(numberOf(error))) throw error;
    return [await answerRefused(name)];
  }
}

/** The column that refused a value; undefined for an error of another kind. */
export function refusedColumn(error: unknown): string | undefined {
  if (!valueErrors.has(numberOf(error))) return undefined;
  const [, column] = /column [`']?(?:[^`']*[`']\.[`'])*(\w+)[`']?/i.exec(messageOf(error)) ?? [];
  return column ?? "values";
}

const numberOf = (error: unknown): number => (error as { readonly errno?: number }).errno ?? 0;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "");
