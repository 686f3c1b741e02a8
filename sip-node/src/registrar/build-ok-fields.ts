/** The header fields of the 200 OK to a REGISTER (RFC 3261 §10.3 step 8). Pure. */
import type { Binding } from "../location/binding.ts";
import { isUriText } from "../wire/characters.ts";

/**
 * Header lines, each with its CRLF: a Contact for each binding, and Date (§20.17). Another tool's row may have a contact that no header field
 * can hold: it is omitted.
 */
export function buildOkFields(bindings: readonly Binding[], now: Date): string {
  let lines = "";
  for (const { contact, expiresIn, q, instance, regId } of bindings) {
    if (!isUriText(contact)) continue;
    const qParameter = q === 1000 ? "" : `;q=${(q / 1000).toFixed(3).replace(/0+$/, "").replace(/\.$/, "")}`;
    const outbound =
      instance === undefined
        ? ""
        : `;+sip.instance="${escapeQuoted(instance)}"${regId > 0 ? `;reg-id=${regId}` : ""}`;
    lines += `Contact: <${contact}>;expires=${expiresIn}${qParameter}${outbound}\r\n`;
  }
  return `${lines}Date: ${now.toUTCString()}\r\n`;
}

const escapeQuoted = (text: string): string =>
  text.replace(/[\x00-\x1f\x7f]+/g, " ").replace(/["\\]/g, "\\$&");
