/** The second Via of a response: its next hop after the top Via, which this cluster added, is removed (RFC 3261 §16.7 step 3). */
import { findField } from "./fields.ts";
import { valueEnd } from "./list-values.ts";
import type { Message } from "./message.ts";
import { isProblem } from "./problem.ts";
import { parseVia, type Via } from "./via.ts";

/** Returns undefined when there is no second Via, or an unreadable one. */
export function parseSecondVia({ text, fields }: Message): Via | undefined {
  const top = findField(fields, "via");
  if (top === undefined) return undefined;
  const end = valueEnd(text, top.valueStart, top.valueEnd);
  const next = end < top.valueEnd ? top : fields.find((field) => field.name === "via" && field !== top);
  if (next === undefined) return undefined;
  const start = next === top ? end + 1 : next.valueStart;
  const via = parseVia(text, start, valueEnd(text, start, next.valueEnd));
  return isProblem(via) ? undefined : via;
}
