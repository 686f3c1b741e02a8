/** What the rows of a SipUser lack that may be written. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Account, Credential, SubscriberRow, UserSettings } from "../adapters/mysql/user-rows.ts";
import { isSameOwner, type DeletionPolicy, type Owner } from "../ownership.ts";
import { isStored } from "./credential.ts";
import type { ForeignRows } from "./foreign-rows.ts";
import type { SipUser, UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** `credential` is undefined where the one that is there is left. */
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
  const gone = previous.filter((alias) => !user.aliases.includes(alias));
  const subscriber = subscriberAction(account, state.subscribers[0], credential);
  const isUnchanged = subscriber === undefined && isDeepStrictEqual(state.settings, settings);
  const generatedFor = user.credential?.kind === "generated" ? state.secret?.generatedFor : undefined;
  const owns = ownerOf(user, domain, generatedFor, resolved);
  return [
    ...gone.flatMap((alias): UserAction[] => [
      { do: "deleteAlias", account, alias },
      { do: "release", name: claimName(alias, domain) },
    ]),
    ...foreign.elsewhere.map(({ alias, target }) => ({ do: "deleteAlias", account: target, alias }) as const),
    ...names
      .filter((name) => state.claims.every((claim) => claim.name !== name))
      .map((name) => ({ do: "claim", name }) as const),
    ...(subscriber === undefined ? [] : [subscriber]),
    // Also when only the credential changed: nodes read by the change number, which is here.
    ...(isUnchanged ? [] : [{ do: "saveSettings", account, settings } as const]),
    ...missingAliases(user, state, foreign).map((alias) => ({ do: "insertAlias", account, alias }) as const),
    ...(!user.isEnabled && state.hasBindings ? [{ do: "removeBindings", account } as const] : []),
    ...(isSameOwner(owner, owns) ? [] : [{ do: "saveOwner", owner: owns } as const]),
  ];
}

/** Who adopts leaves what the spec does not say. */
function settingsOf(
  { isEnabled, maxContacts, displayName, adoptionPolicy }: SipUser,
  { settings }: UserRows,
): UserSettings {
  const left = adoptionPolicy === "Adopt" ? settings : undefined;
  return {
    isEnabled,
    maxContacts: maxContacts ?? left?.maxContacts ?? null,
    displayName: displayName ?? left?.displayName ?? null,
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

/** A plain password beside our hashes is removed with them. */
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
