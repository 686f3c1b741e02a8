/** The 200 OK to a REGISTER: all current bindings (RFC 3261 §10.3 step 8). Pure. */
import type { Binding } from "../location/binding.ts";
import { isUriText } from "../wire/characters.ts";

/** Header lines, each with its CRLF, without contacts of other tools' rows that no header can hold; `at` is the wall clock's time for Date (§20.17). */
export function answer(bindings: readonly Binding[], at: Date): string {
  let lines = "";
  for (const { contact, expiresIn, q, instance, regId } of bindings) {
    if (!isUriText(contact)) continue;
    const preference = q === 1000 ? "" : `;q=${(q / 1000).toFixed(3).replace(/0+$/, "").replace(/\.$/, "")}`;
    const outbound =
      instance === undefined
        ? ""
        : `;+sip.instance="${quotable(instance)}"${regId > 0 ? `;reg-id=${regId}` : ""}`;
    lines += `Contact: <${contact}>;expires=${expiresIn}${preference}${outbound}\r\n`;
  }
  return `${lines}Date: ${at.toUTCString()}\r\n`;
}

const quotable = (text: string): string => text.replace(/[\x00-\x1f\x7f]+/g, " ").replace(/["\\]/g, "\\$&");
