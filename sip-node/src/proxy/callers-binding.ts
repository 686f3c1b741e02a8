/**
 * Finds the binding of the phone that sends a request (RFC 3261 §12.1.1). The flow token of a dialog contains its id: when an address translator
 * changes the phone's port, the next REGISTER updates that binding, and the dialog finds the phone again. Pure.
 */
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import type { Contact } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";

/**
 * Matches by instance with any reg-id, otherwise by contact and host address, otherwise by flow. If several match, the one on the flow of
 * the request. Undefined: none matches. `bindings`: those of the sender.
 */
export function callersBinding(
  bindings: readonly Binding[],
  contact: Contact,
  source: Flow,
): Binding | undefined {
  if (bindings.length === 0) return undefined;
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
