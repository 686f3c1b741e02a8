/**
 * The key of a binding. It is derived, so that two nodes that write the same binding write the same row (docs/adr/0023):
 *
 *   with an instance      address of record, instance and reg-id (RFC 5626 §6)
 *   without, direct       address of record and canonical contact URI
 *   without, behind NAT   these and the source address of its REGISTER: phones behind NAT share private addresses. The source port is not
 *                         part of it, because a NAT changes the port at any time
 */
import { canonicalUri } from "../wire/compare-uris.ts";
import type { Contact } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import { type Aor, aorText } from "./account.ts";
import { hashToKey } from "./contact-key.ts";

/** A decimal number below 2^63, the range of `location.contact_id`. */
export function contactId(aor: Aor, contact: Contact, flow: Flow, isBehindNat: boolean): string {
  const identity =
    contact.instance === undefined
      ? `uri\n${canonicalUri(contact.uri)}\n${isBehindNat ? flow.address : ""}`
      : `instance\n${contact.instance}\n${contact.regId}`;
  return hashToKey(`${aorText(aor)}\n${identity}`);
}
