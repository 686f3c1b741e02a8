/** Conversion of wire text (one character for each byte, see `wire/message.ts`) to the Unicode text of rows. `wire/wire-text.ts` is the reverse. */
import type { SipUri } from "../wire/uri.ts";
import { isAscii } from "../wire/wire-text.ts";
import type { Aor } from "./account.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Returns undefined when the bytes are not UTF-8: no row can hold them. */
export function toRowText(wire: string): string | undefined {
  if (isAscii(wire)) return wire;
  try {
    return strictUtf8.decode(Buffer.from(wire, "latin1"));
  } catch {
    return undefined;
  }
}

/** The address of record that a URI names (RFC 3261 §10.3 step 5); undefined when it has no user, or one that is not UTF-8. */
export function aorOf(uri: SipUri): Aor | undefined {
  const username = uri.user === undefined ? undefined : toRowText(uri.user);
  return username === undefined ? undefined : { username, domain: uri.host };
}
