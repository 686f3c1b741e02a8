/** Lengths and charset of a binding. They are checked before the group commit, so that no row makes the others fail. */
import type { Binding } from "./binding.ts";
import { toRowText } from "./row-text.ts";

/** Why `location` cannot hold the binding, as the reason of a 400; undefined: it can. */
export function storageProblem(binding: Binding): string | undefined {
  return (
    textProblem("Contact", binding.contact, 1024) ??
    textProblem("Call-ID", binding.callId, 255) ??
    textProblem("+sip.instance", binding.instance ?? "", 255)
  ); // prettier-ignore
}

function textProblem(what: string, text: string, maxLength: number): string | undefined {
  if (text.length > maxLength) return `${what} has ${text.length} bytes, at most ${maxLength}`;
  return toRowText(text) === undefined ? `${what} is not UTF-8` : undefined;
}
