/**
 * Whose phone a Request-URI means that is no address of record but some phone's contact, as a REFER gives it (RFC 5589 §7). Private
 * addresses are in use at many places, so the contact alone may name phones of several users. Pure.
 */
import type { Aor } from "../location/account.ts";
import type { Binding, OwnedBinding } from "../location/binding.ts";
import { areEqualUris } from "../wire/compare-uris.ts";

export interface ContactOwner {
  readonly aor: Aor;
  /** At least one: the user's bindings with this contact. */
  readonly bindings: readonly Binding[];
}

/**
 * The one user with a binding whose contact equals the URI (§19.1.4); of several the one in the caller's domain. Undefined where that
 * leaves nobody, or more than one user: then it is not known who is meant.
 */
export function contactOwner(
  uri: string,
  found: readonly OwnedBinding[],
  callersDomain: string | undefined,
): ContactOwner | undefined {
  const equal = found.filter(({ binding }) => areEqualUris(binding.contact, uri));
  const near = equal.filter(({ aor }) => aor.domain === callersDomain);
  const [first, ...others] = near.length > 0 ? near : equal;
  if (first === undefined) return undefined;
  const { aor } = first;
  const isOthers = ({ aor: other }: OwnedBinding): boolean =>
    other.username !== aor.username || other.domain !== aor.domain;
  return others.some(isOthers)
    ? undefined
    : { aor, bindings: [first, ...others].map(({ binding }) => binding) };
}
