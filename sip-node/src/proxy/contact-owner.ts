/**
 * Finds the user of a Request-URI that is a phone's contact, not an address of record, as in a Refer-To (RFC 5589 §7). Many networks use the
 * same private addresses, so phones of several users may have an equal contact. Pure.
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
 * The user with a binding whose contact equals the URI (§19.1.4). If several users match, it is the user in the caller's domain, if exactly
 * one is there. Undefined: no such user, or more than one.
 */
export function contactOwner(
  uri: string,
  found: readonly OwnedBinding[],
  callersDomain: string | undefined,
): ContactOwner | undefined {
  const equal = found.filter(({ binding }) => areEqualUris(binding.contact, uri));
  const inCallersDomain = equal.filter(({ aor }) => aor.domain === callersDomain);
  const [first, ...others] = inCallersDomain.length > 0 ? inCallersDomain : equal;
  if (first === undefined) return undefined;
  const { aor } = first;
  const isOthers = ({ aor: other }: OwnedBinding): boolean =>
    other.username !== aor.username || other.domain !== aor.domain;
  return others.some(isOthers)
    ? undefined
    : { aor, bindings: [first, ...others].map(({ binding }) => binding) };
}
