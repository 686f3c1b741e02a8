/**
 * Target refresh (RFC 3261 §12.2.1.2): a phone sends a new Contact within a dialog from an address other than the one in the flow token. The
 * token cannot change during the dialog, so the new address is stored in the database, for one side of one dialog (ADR 31). Pure.
 */
import { contactKey, hashToKey } from "../location/contact-key.ts";
import { flowOfContact, isSentDirectly } from "../location/flow-of-contact.ts";
import type { DialogTarget } from "../location/dialog-target.ts";
import { parseContacts } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import type { Party } from "./packed-party.ts";

/** Requests that refresh the remote target (§12.2.1.2). */
const refreshing: ReadonlySet<string> = new Set(["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"]);

/** Identifies one side of a dialog; `own` is the tag of that side. */
const sideId = (callId: string, own: string | undefined, other: string | undefined): string =>
  hashToKey(`${callId}\n${own ?? ""}\n${other ?? ""}`);

/** The side that a request within a dialog goes to. */
export const remoteSide = ({ callId, from, to }: Request): string => sideId(callId, to.tag, from.tag);

/**
 * The new target of the sender's side; undefined: the request refreshes no target, or the sender is still at the address in the token.
 * `sender` is the sender as the token names it. The host is always the one that the request came from.
 */
export function refreshedTarget(
  request: Request,
  source: Flow,
  sender: Party,
  node: string,
): DialogTarget | undefined {
  if (!refreshing.has(request.method)) return undefined;
  const contacts = parseContacts(request);
  const contact = isProblem(contacts) || contacts.kind === "star" ? undefined : contacts.contacts[0];
  if (contact === undefined) return undefined;
  const reached = flowOfContact(contact, source, isSentDirectly(request, source));
  if (reached.flow.key === sender.flow.key) return undefined;
  return {
    sideId: sideId(request.callId, request.from.tag, request.to.tag),
    contactKey: contactKey(contact.uri),
    ...reached,
    ownerNode: reached.flow.key === source.key ? node : "",
  };
}
