/** From the wire's text (one character for each byte, see `wire/message.ts`) to a row's (Unicode); the way back is `wire/wire-text.ts`. */
import type { SipUri } from "../wire/uri.ts";
import { isAscii } from "../wire/wire-text.ts";
import type { Aor } from "./account.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Undefined when the bytes are no UTF-8: no row can hold them. */
export function rowText(wire: string): string | undefined {
  if (isAscii(wire)) return wire;
  try {
    return strictUtf8.decode(Buffer.from(wire, "latin1"));
  } catch {
    return undefined;
  }
}

/** The address of record that a URI names (RFC 3261 §10.3 step 5); undefined without a user or with one that is no UTF-8. */
export function aorOf(uri: SipUri): Aor | undefined {
  const username = uri.user === undefined ? undefined : rowText(uri.user);
  return username === undefined ? undefined : { username, domain: uri.host };
}
