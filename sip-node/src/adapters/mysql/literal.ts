/**
 * Values as literals of a SQL text, for a transaction that is sent as one text (`Database.transactionText`). A text with another character than the
 * harmless ones is written in hexadecimal digits. So no value can end its literal, whatever `sql_mode` and character set the server has.
 */
import type { Value } from "./database.ts";

/** Printable ASCII without quotes and without the backslash. */
const harmless = /^[ !#-&(-[\]-~]*$/;

export function literal(value: Value): string {
  if (value === null) return "NULL";
  if (typeof value === "string")
    return harmless.test(value) ? `'${value}'` : `_utf8mb4 x'${Buffer.from(value).toString("hex")}'`;
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no value of a column`);
  return String(value);
}

/** `(1, 'a'), (2, 'b')`: a row is a list of literals and expressions. */
export const literalRows = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `(${row.join(",")})`).join(",\n");
