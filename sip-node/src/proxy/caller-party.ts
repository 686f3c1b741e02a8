/** The caller as one of the two parties of the dialog that its request may create (RFC 3261 §12.1.1, §16.6). Pure. */
import type { Aor } from "../location/account.ts";
import type { Binding } from "../location/binding.ts";
import { contactId } from "../location/contact-id.ts";
import { contactKey } from "../location/contact-key.ts";
import { flowOfContact, isSentDirectly } from "../location/flow-of-contact.ts";
import { parseContacts } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import { callersBinding } from "./callers-binding.ts";
import type { Party } from "./packed-party.ts";

/** How the callee's later requests reach the caller: its flow, the id of its binding if it has one, and the key of its Contact. */
export function callerParty(
  request: Request,
  source: Flow,
  aor: Aor | undefined,
  bindings: readonly Binding[],
  node: string,
): Party {
  const contacts = parseContacts(request);
  const contact = isProblem(contacts) || contacts.kind === "star" ? undefined : contacts.contacts[0];
  if (contact === undefined)
    return { flow: source, isBehindNat: true, ownerNode: node, contactId: "0", contactKey: "0" };
  const { flow, isBehindNat } = flowOfContact(contact, source, isSentDirectly(request, source));
  const known = callersBinding(bindings, contact, flow)?.id;
  const id = known ?? (aor === undefined ? "0" : contactId(aor, contact, flow, isBehindNat));
  const ownerNode = flow.key === source.key ? node : "";
  return { flow, isBehindNat, ownerNode, contactId: id, contactKey: contactKey(contact.uri) };
}
