/**
 * The flow on which a phone is called (RFC 3261 §10.3, §16.5): the flow of its request, or the address in its Contact. The Contact's address
 * is used only when the request proves that no address translator and no proxy is between the phone and this node (ADR 32).
 */
import type { Contact } from "../wire/contact.ts";
import { type Flow, flowOf, isReliable } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import { parseUri, type SipUri, uriParameter } from "../wire/uri.ts";

export interface ContactFlow {
  readonly flow: Flow;
  readonly isBehindNat: boolean;
}

/** Whether the request has one Via, and it names the source address: no address translator and no proxy is between. */
export function isSentDirectly({ fields, via }: Request, source: Flow): boolean {
  const [first, ...others] = fields.filter(({ name }) => name === "via");
  return (
    first?.valueEnd === via.end &&
    others.length === 0 &&
    via.transport === source.transport.toUpperCase() &&
    via.host.replace(/[[\]]/g, "") === source.address &&
    (via.port ?? 5060) === source.port
  );
}

/** `isDirect`: `isSentDirectly` of the request with this contact. */
export function flowOfContact(
  contact: Pick<Contact, "uri" | "regId">,
  source: Flow,
  isDirect: boolean,
): ContactFlow {
  // A phone is called on its connection, whose port its Contact does not name
  if (isReliable[source.transport]) return { flow: source, isBehindNat: true };
  const uri = parseUri(contact.uri);
  if (isProblem(uri) || uri.host !== source.address) return { flow: source, isBehindNat: true };
  const port = uri.port ?? 5060;
  if (port === source.port) return { flow: source, isBehindNat: false };
  if (!isDirect || contact.regId > 0 || !isPlainUdp(uri)) return { flow: source, isBehindNat: true };
  return { flow: flowOf(source.address, port), isBehindNat: false };
}

/** Whether the URI means UDP to its host, without a request for the flow (RFC 5626 §5.4: `ob`). */
const isPlainUdp = (uri: SipUri): boolean =>
  uri.scheme === "sip" &&
  (uriParameter(uri, "transport") ?? "udp").toLowerCase() === "udp" &&
  uriParameter(uri, "maddr") === undefined &&
  uriParameter(uri, "ob") === undefined;
