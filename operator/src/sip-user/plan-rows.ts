/** The actions that make the rows of a SipUser match its spec. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Account, Credential, SubscriberRow, UserSettings } from "../adapters/mysql/user-rows.ts";
import { isSameOwner, type DeletionPolicy, type Owner } from "../ownership.ts";
import { isStored } from "./credential.ts";
import type { ForeignRows } from "./foreign-rows.ts";
import type { SipUser, UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** `credential` is undefined where the stored one stays. */
export function planRows(
  user: SipUser,
  state: UserRows,
  foreign: ForeignRows,
  credential: Credential | undefined,
  resolved: { readonly isAdopted: boolean; readonly deletionPolicy: DeletionPolicy },
): readonly UserAction[] {
  const { domain, owner } = state;
  const account = { username: user.username, domain };
  const settings = settingsOf(user, state);
  const names = [user.username, ...user.aliases].map((name) => claimName(name, domain));
  const previous = owner?.fields.domain === domain ? owner.fields.aliases : [];
  const unlisted = previous.filter((alias) => !user.aliases.includes(alias));
  const subscriber = subscriberAction(account, state.subscribers[0], credential);
  const isUnchanged = subscriber === undefined && isDeepStrictEqual(state.settings, settings);
  const generatedFor = user.credential?.kind === "generated" ? state.secret?.generatedFor : undefined;
  const ownerRow = ownerOf(user, domain, generatedFor, resolved);
  return [
    ...unlisted.flatMap((alias): UserAction[] => [
      { do: "deleteAlias", account, alias },
      { do: "release", name: claimName(alias, domain) },
    ]),
    ...foreign.elsewhere.map(({ alias, target }) => ({ do: "deleteAlias", account: target, alias }) as const),
    ...names
      .filter((name) => state.claims.every((claim) => claim.name !== name))
      .map((name) => ({ do: "claim", name }) as const),
    ...(subscriber === undefined ? [] : [subscriber]),
    // Also when only the credential changed: nodes find changed accounts by the change number in this row.
    ...(isUnchanged ? [] : [{ do: "saveSettings", account, settings } as const]),
    ...missingAliases(user, state, foreign).map((alias) => ({ do: "insertAlias", account, alias }) as const),
    ...(!user.isEnabled && state.hasBindings ? [{ do: "removeBindings", account } as const] : []),
    ...(isSameOwner(owner, ownerRow) ? [] : [{ do: "saveOwner", owner: ownerRow } as const]),
  ];
}

/** With adoptionPolicy Adopt, values that the spec does not set stay. */
function settingsOf(
  { isEnabled, maxContacts, displayName, adoptionPolicy }: SipUser,
  { settings }: UserRows,
): UserSettings {
  const present = adoptionPolicy === "Adopt" ? settings : undefined;
  return {
    isEnabled,
    maxContacts: maxContacts ?? present?.maxContacts ?? null,
    displayName: displayName ?? present?.displayName ?? null,
  };
}

const missingAliases = (
  user: SipUser,
  { aliases }: UserRows,
  { elsewhere }: ForeignRows,
): readonly string[] =>
  user.aliases.filter(
    (alias) => elsewhere.some((row) => row.alias === alias) || aliases.every((row) => row.alias !== alias),
  );

/** An update also removes a plain password from the row. */
function subscriberAction(
  account: Account,
  row: SubscriberRow | undefined,
  credential: Credential | undefined,
): UserAction | undefined {
  if (credential === undefined) return undefined;
  if (row === undefined) return { do: "insertSubscriber", account, credential };
  return isStored(credential, row) ? undefined : { do: "updateSubscriber", account, credential };
}

const ownerOf = (
  { reference, uid, generation, immutable, username, aliases }: SipUser,
  domain: string,
  generatedFor: string | undefined,
  { isAdopted, deletionPolicy }: { readonly isAdopted: boolean; readonly deletionPolicy: DeletionPolicy },
): Owner<UserFields> => ({
  reference,
  uid,
  generation,
  deletionPolicy,
  fields: {
    spec: immutable,
    username,
    domain,
    aliases,
    ...(isAdopted ? { isAdopted } : {}),
    ...(generatedFor === undefined ? {} : { generatedFor }),
  },
});
