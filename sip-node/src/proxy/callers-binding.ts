/**
 * Which binding the phone that sends a request has (RFC 3261 §12.1.1: its Contact names where it is reached): the token of a dialog names
 * it, so that a phone whose address translator changed the port is found again by its REGISTER. Pure.
 */
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import type { Contact } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";

/**
 * Of the sender's bindings the one of this phone, undefined for none: by its instance, with whatever reg-id; else by its contact, from the
 * same host; else by its flow. Among equals the one on the flow of the request.
 */
export function callersBinding(
  bindings: readonly Binding[],
  contact: Contact,
  source: Flow,
): Binding | undefined {
  const current = [...bindings]
    .filter(isCurrent)
    .sort((a, b) => Number(b.flow.key === source.key) - Number(a.flow.key === source.key));
  const key = contactKey(contact.uri);
  return (
    current.find(({ instance }) => instance !== undefined && instance === contact.instance) ??
    current.find(
      (binding) => contactKey(binding.contact) === key && binding.flow.address === source.address,
    ) ??
    current.find(({ flow }) => flow.key === source.key)
  );
}
