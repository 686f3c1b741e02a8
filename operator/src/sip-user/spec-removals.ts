/**
 * The removals in a spec, from rows that the SipUser owns. They are carried out even while the spec is refused (ADR 33): an alias that the
 * spec no longer lists is removed, a disabled user is switched off, and an earlier password stops working. Pure.
 */
import type { Credential, SubscriberRow } from "../adapters/mysql/user-rows.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { credentialReasons, isStored } from "./credential.ts";
import { claimName } from "./current-state.ts";
import { disableAccount, type RetainedRows } from "./disable-account.ts";
import type { SipUser } from "./resource.ts";
import type { UserAction } from "./user-action.ts";

/** Rows of the user's account: its own, or those of an earlier object that is replaced by this one. */
export interface RemovableRows extends RetainedRows {
  /** Where it was read. */
  readonly subscriber?: SubscriberRow | undefined;
}

/**
 * `credential` is the result of the spec and its Secret. A new credential replaces the stored one. A Secret with an unusable value switches
 * the user off.
 */
export function specRemovals(
  user: SipUser,
  rows: RemovableRows,
  credential?: Credential | NewCondition,
): readonly UserAction[] {
  const { username, domain } = rows.owner.fields;
  const account = { username, domain };
  const isOff = !user.isEnabled || isUnusable(credential);
  const rotated = rotatedCredential(rows.subscriber, credential);
  const settings = { maxContacts: null, displayName: null, isEnabled: true, ...rows.settings };
  return [
    ...removeUnlistedAliases(user, rows),
    ...(rotated === undefined ? [] : [{ do: "updateSubscriber", account, credential: rotated } as const]),
    ...(isOff ? disableAccount(rows) : []),
    // Nodes find changed accounts by the change number in the settings row.
    ...(rotated !== undefined && !isOff ? [{ do: "saveSettings", account, settings } as const] : []),
  ];
}

/** Removes aliases and releases their names; the owner row records it. */
export function removeUnlistedAliases(
  user: SipUser,
  { owner }: Pick<RetainedRows, "owner">,
): readonly UserAction[] {
  const { username, domain, aliases } = owner.fields;
  const account = { username, domain };
  const unlisted = aliases.filter((alias) => !user.aliases.includes(alias));
  if (unlisted.length === 0) return [];
  const remaining = aliases.filter((alias) => !unlisted.includes(alias));
  return [
    ...unlisted.flatMap((alias): UserAction[] => [
      { do: "deleteAlias", account, alias },
      { do: "release", name: claimName(alias, domain) },
    ]),
    { do: "saveOwner", owner: { ...owner, fields: { ...owner.fields, aliases: remaining } } },
  ];
}

/** An absent Secret does not prove that the password changed. An unusable value does. */
const isUnusable = (credential: Credential | NewCondition | undefined): boolean =>
  credential !== undefined && "reason" in credential && credential.reason === credentialReasons.invalid;

const rotatedCredential = (
  row: SubscriberRow | undefined,
  credential: Credential | NewCondition | undefined,
): Credential | undefined =>
  row === undefined || credential === undefined || "reason" in credential || isStored(credential, row)
    ? undefined
    : credential;
