/** The target set (RFC 3261 §16.5): the bindings of the called user, by q. `response-context.ts` decides when a branch to each one starts. Pure. */
import type { Domain } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import { isUriText } from "../wire/characters.ts";
import { maxBranches, maxUriBytes } from "../wire/limits.ts";
import { isSecure } from "../wire/uri.ts";
import type { Party } from "./packed-party.ts";
import type { Rejection } from "../wire/rejection.ts";

/** The destination of a branch. */
export interface Target extends Party {
  /** Undefined leaves the Request-URI as it is. */
  readonly uri: string | undefined;
  /** Preference of the contact, 0 to 1000 (§20.10); 1000 in a dialog. */
  readonly q: number;
}

/** The phone of a dialog, on the flow in its token. */
export const targetOf = ({ flow, isBehindNat, ownerNode, contactId, contactKey: key }: Party): Target => ({
  uri: undefined,
  q: 1000,
  flow,
  isBehindNat,
  ownerNode,
  contactId,
  contactKey: key,
});

export interface TargetSet {
  readonly kind: "targets";
  /** Of the called user. */
  readonly domain: Domain;
  readonly targets: readonly Target[];
}

/** The domain is served, but no phone can be reached. */
export interface Unreachable {
  readonly kind: "unreachable";
  readonly domain: Domain;
  readonly rejection: Rejection;
}

/** The Request-URI's host is not a served domain. */
export interface NotServed {
  readonly kind: "not-served";
}

/**
 * Current bindings, the highest q first, one for each contact and flow. Skips contacts in rows of other tools that a request line cannot
 * contain, and those that need TLS (`sips`, §26.2.2). Empty: the user has no phone (480).
 */
export function targets(bindings: readonly Binding[]): readonly Target[] {
  const usable = bindings.filter(isUsable);
  if (usable.length < 2) return usable.map(targetOfBinding);
  const found = new Map<string, Target>();
  for (const binding of usable.sort((a, b) => b.q - a.q)) {
    const key = `${binding.contact} ${binding.flow.key}`;
    if (!found.has(key) && found.size < maxBranches) found.set(key, targetOfBinding(binding));
  }
  return [...found.values()];
}

const targetOfBinding = ({ contact, q, flow, isBehindNat, ownerNode, id }: Binding): Target => ({
  uri: contact,
  q,
  flow,
  isBehindNat,
  ownerNode,
  contactId: id,
  contactKey: contactKey(contact),
});

const isUsable = (binding: Binding): boolean =>
  isCurrent(binding) &&
  isUriText(binding.contact) &&
  binding.contact.length <= maxUriBytes &&
  !isSecure(binding.contact);
