/** The limit of contacts of a user (docs/adr/0024). Pure. */
import type { RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { ContactChange } from "./contact-changes.ts";
import type { Registration } from "./registration.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

/** 500, because a phone takes a 403 for a wrong password, and after a 503 it would not use the one address that it knows (§21.5.4). */
export const tooManyContacts = ({ maxContacts }: RegistrationSettings): Rejection =>
  reject(500, `Too many contacts: at most ${maxContacts}`, "Retry-After: 60\r\n");

/**
 * Removals of other bindings, so that the new ones are within `maxContacts`; empty when they are already. The bindings that a restarted phone
 * abandoned are removed first, then the least recently refreshed ones. Undefined: too few can be removed, and the request is refused.
 *
 * A request that does not raise the number of bindings is always accepted, also after `maxContacts` was lowered.
 */
export function removeExcessContacts(
  register: Registration,
  changes: readonly ContactChange[],
  current: readonly Binding[],
  { maxContacts, onMaxContacts }: RegistrationSettings,
): readonly ContactChange[] | undefined {
  const changed = new Set(changes.map(({ binding }) => binding.id));
  const others = current.filter(({ id }) => !changed.has(id));
  const after = others.length + changes.filter(({ binding }) => isCurrent(binding)).length;
  if (after <= maxContacts || after <= current.length) return [];
  const replaceable = onMaxContacts === "Reject" ? [] : others.filter((row) => row.refreshedAt !== undefined);
  const excess = after - maxContacts;
  if (replaceable.length < excess) return undefined;
  return replaceable
    .sort(
      (a, b) =>
        Number(isAbandoned(register, b)) - Number(isAbandoned(register, a)) ||
        (a.refreshedAt ?? 0) - (b.refreshedAt ?? 0),
    )
    .slice(0, excess)
    .map((row) => ({ row, binding: { ...row, expiresIn: 0 }, formerFlow: undefined }));
}

/** A phone without an instance that restarts registers a new contact beside its old one, with the same User-Agent. */
const isAbandoned = ({ userAgent }: Registration, row: Binding): boolean =>
  row.instance === undefined && row.userAgent === userAgent && userAgent !== "n/a";
