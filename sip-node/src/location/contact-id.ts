/**
 * The key of a binding, derived so that two nodes that write the same binding meet on one row: from the address of record and the
 * phone's instance and reg-id (RFC 5626 §6), else from the address of record and the canonical contact URI; behind NAT, where phones share
 * private addresses, the address its REGISTER came from takes part, without the port that a NAT changes at will (docs/adr/0023).
 */
import { hash } from "node:crypto";
import { canonicalUri } from "../wire/compare-uris.ts";
import type { Contact } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import { type Aor, aorText } from "./account.ts";

/** A decimal number below 2^63, the range of `location.contact_id` that every driver reads exactly as text. */
export function contactId(aor: Aor, contact: Contact, flow: Flow, isBehindNat: boolean): string {
  const identity =
    contact.instance === undefined
      ? `uri\n${canonicalUri(contact.uri)}\n${isBehindNat ? flow.address : ""}`
      : `instance\n${contact.instance}\n${contact.regId}`;
  const digest = hash("sha256", `${aorText(aor)}\n${identity}`, "hex");
  return BigInt.asUintN(63, BigInt(`0x${digest.slice(0, 16)}`)).toString();
}
