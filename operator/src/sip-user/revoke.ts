/**
 * What a spec takes away from the rows that a user owns. It is done even while the rest of the object is refused (ADR 33): an alias that the
 * spec no longer lists goes, a disabled user is switched off, and an earlier password stops to work. Pure.
 */
import type { Credential, SubscriberRow } from "../adapters/mysql/user-rows.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { credentialReasons, isStored } from "./credential.ts";
import type { SipUser } from "./resource.ts";
import { disableAccount, type RetainedRows } from "./disable-account.ts";
import type { UserAction } from "./user-action.ts";
import { claimName } from "./current-state.ts";

/** Rows of this object's account, by its own uid or as the heir of an earlier object. */
export interface RevocableRows extends RetainedRows {
  /** The account's row, where it was read. */
  readonly subscriber?: SubscriberRow | undefined;
}

/** `credential` is what the spec leads to: a new one replaces the stored one, one that cannot be used switches the user off. */
export function revoke(
  user: SipUser,
  rows: RevocableRows,
  credential?: Credential | NewCondition,
): readonly UserAction[] {
  const { username, domain } = rows.owner.fields;
  const account = { username, domain };
  const isOff = !user.isEnabled || isUnusable(credential);
  const rotated = rotatedTo(rows.subscriber, credential);
  const settings = { maxContacts: null, displayName: null, isEnabled: true, ...rows.settings };
  return [
    ...releaseUnlisted(user, rows),
    ...(rotated === undefined ? [] : [{ do: "updateSubscriber", account, credential: rotated } as const]),
    ...(isOff ? disableAccount(rows) : []),
    // Nodes read by the change number, which is in this row.
    ...(rotated !== undefined && !isOff ? [{ do: "saveSettings", account, settings } as const] : []),
  ];
}

/** Aliases go with their names, and the owner row says that they are gone. */
export function releaseUnlisted(
  user: SipUser,
  { owner }: Pick<RetainedRows, "owner">,
): readonly UserAction[] {
  const { username, domain, aliases } = owner.fields;
  const account = { username, domain };
  const gone = aliases.filter((alias) => !user.aliases.includes(alias));
  if (gone.length === 0) return [];
  const left = aliases.filter((alias) => !gone.includes(alias));
  return [
    ...gone.flatMap((alias): UserAction[] => [
      { do: "deleteAlias", account, alias },
      { do: "release", name: claimName(alias, domain) },
    ]),
    { do: "saveOwner", owner: { ...owner, fields: { ...owner.fields, aliases: left } } },
  ];
}

/** A Secret that is absent says nothing about the password. One with a value that cannot be used says that it is another one. */
const isUnusable = (credential: Credential | NewCondition | undefined): boolean =>
  credential !== undefined && "reason" in credential && credential.reason === credentialReasons.invalid;

const rotatedTo = (
  row: SubscriberRow | undefined,
  credential: Credential | NewCondition | undefined,
): Credential | undefined =>
  row === undefined || credential === undefined || "reason" in credential || isStored(credential, row)
    ? undefined
    : credential;
