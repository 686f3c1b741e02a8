/** Between the wire's text (one character for each byte, see `wire/message.ts`) and a row's (Unicode). */
import { type SipUri } from "../wire/uri.ts";
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

export const wireText = (row: string): string =>
  isAscii(row) ? row : Buffer.from(row, "utf8").toString("latin1");

/** The address of record that a URI names (RFC 3261 §10.3 step 5); undefined without a user or with one that is no UTF-8. */
export function aorOf(uri: SipUri): Aor | undefined {
  const username = uri.user === undefined ? undefined : rowText(uri.user);
  return username === undefined ? undefined : { username, domain: uri.host };
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
