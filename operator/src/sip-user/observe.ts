/** The decision about a SipUser with adoptionPolicy Observe: whether its row exists, and how it differs from the spec. Pure. */
import { reasons, type Owner } from "../ownership.ts";
import { notReady, ready, type DecisionDraft } from "../runtime/decision.ts";
import { credentialOf } from "./credential.ts";
import { isSameCredential } from "./foreign-rows.ts";
import type { SipUser, UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** No watch reports a change of a row. */
const observeAgainAfter = 30_000;

/** Only an owner row of ours changes: after it nothing is deleted any more. */
export function observe(user: SipUser, state: UserRows): DecisionDraft<UserAction> {
  const { owner, domain } = state;
  const name = claimName(user.username, domain);
  const row = state.subscribers.find(({ username }) => username === user.username);
  const differences = row === undefined ? [] : differencesOf(user, state, row);
  const message =
    differences.length === 0
      ? `${name} is in the database; nothing is written`
      : `${name} is in the database and differs in ${differences.join(", ")}; nothing is written`;
  return {
    actions: owner === undefined || owner.deletionPolicy === "Retain" ? [] : [retain(owner, user)],
    ready:
      row === undefined
        ? notReady(reasons.nothingToObserve, `the database has no subscriber ${name}; nothing is written`)
        : { ...ready(message), reason: reasons.observed },
    status: { deletionPolicy: "Retain", address: `sip:${name}` },
    requeueAfter: observeAgainAfter,
    needsFinalizer: false,
  };
}

const retain = (owner: Owner<UserFields>, { uid }: SipUser): UserAction => ({
  do: "saveOwner",
  owner: { ...owner, uid, deletionPolicy: "Retain" },
});

function differencesOf(
  user: SipUser,
  state: UserRows,
  row: UserRows["subscribers"][number],
): readonly string[] {
  const { settings, aliases } = state;
  const credential = user.credential && credentialOf(user, user.credential, state);
  const hasOtherPassword =
    credential !== undefined && "ha1" in credential && !isSameCredential(row, credential, state.realm);
  const present = aliases.filter(({ target }) => target.username === user.username).map(({ alias }) => alias);
  return [
    ...(hasOtherPassword ? ["the password"] : []),
    ...((settings?.isEnabled ?? true) === user.isEnabled ? [] : ["enabled"]),
    ...(differs(user.displayName, settings?.displayName) ? ["displayName"] : []),
    ...(differs(user.maxContacts, settings?.maxContacts) ? ["maxContacts"] : []),
    ...(user.aliases.every((alias) => present.includes(alias)) ? [] : ["aliases"]),
  ];
}

const differs = (wanted: string | number | null, found: string | number | null = null): boolean =>
  wanted !== null && wanted !== found;
