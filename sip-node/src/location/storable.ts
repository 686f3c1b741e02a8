/** Whether `location` can hold a binding: lengths and charset are checked before the group commit, so that no row harms another. */
import type { Binding } from "./binding.ts";
import { rowText } from "./row-text.ts";

/** What cannot be stored and why, for a 400; undefined when all can. */
export function unstorable(binding: Binding): string | undefined {
  return (
    tooLong("Contact", binding.contact, 1024) ??
    tooLong("Call-ID", binding.callId, 255) ??
    tooLong("+sip.instance", binding.instance ?? "", 255)
  ); // prettier-ignore
}

function tooLong(what: string, text: string, bound: number): string | undefined {
  if (text.length > bound) return `${what} has ${text.length} bytes, at most ${bound}`;
  return rowText(text) === undefined ? `${what} is not UTF-8` : undefined;
}
