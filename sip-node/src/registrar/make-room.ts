/** What becomes of one more contact than a user may have (docs/adr/0024). Pure. */
import type { RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { ContactChange } from "./contact-changes.ts";
import type { Registration } from "./registration.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

/** With which status: phones take 403 for a wrong password, and would shun the one address that they know after a 503 (§21.5.4). */
export const tooManyContacts = ({ maxContacts }: RegistrationSettings): Rejection =>
  reject(500, `Too many contacts: at most ${maxContacts}`, "Retry-After: 60\r\n");

/**
 * The bindings that make room for new ones, empty where there is room: first those that the same kind of phone left behind, then those
 * that were not refreshed for longest. Undefined: there is no room. More than before and more than allowed is too many; who refreshes or
 * removes needs no room, also after the limit was lowered.
 */
export function makeRoom(
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
        Number(isLeftBehind(register, b)) - Number(isLeftBehind(register, a)) ||
        (a.refreshedAt ?? 0) - (b.refreshedAt ?? 0),
    )
    .slice(0, excess)
    .map((row) => ({ row, binding: { ...row, expiresIn: 0 }, left: undefined }));
}

/** A phone without an instance that starts again registers a new contact beside its old one, with the same name. */
const isLeftBehind = ({ userAgent }: Registration, row: Binding): boolean =>
  row.instance === undefined && row.userAgent === userAgent && userAgent !== "n/a";
