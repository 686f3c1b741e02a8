/** What is said of a SipUser with adoptionPolicy Observe: whether its row is there, and in what it differs from the spec. Pure. */
import { reasons, type Owner } from "../ownership.ts";
import { ready, notReady, type Decision } from "../runtime/decision.ts";
import { credentialOf } from "./credential.ts";
import { isSameCredential } from "./foreign-rows.ts";
import type { SipUser, UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** Nobody tells when a row changes. */
const lookAgain = 30_000;

/** Writes nothing but who owns the rows, where we do, so that nothing is deleted any more. */
export function observe(user: SipUser, world: UserRows): Decision<UserAction> {
  const { owner, domain } = world;
  const name = claimName(user.username, domain);
  const row = world.subscribers.find(({ username }) => username === user.username);
  const differences = row === undefined ? [] : differencesOf(user, world, row);
  const says =
    differences.length === 0
      ? `${name} is in the database; nothing is written`
      : `${name} is in the database and differs in ${differences.join(", ")}; nothing is written`;
  return {
    actions: owner === undefined || owner.deletionPolicy === "Retain" ? [] : [retain(owner, user)],
    ready:
      row === undefined
        ? notReady(reasons.nothingToObserve, `the database has no subscriber ${name}; nothing is written`)
        : { ...ready(says), reason: reasons.observed },
    status: { deletionPolicy: "Retain", address: `sip:${name}` },
    requeueAfter: lookAgain,
    needsFinalizer: false,
  };
}

const retain = (owner: Owner<UserFields>, { uid }: SipUser): UserAction => ({
  do: "saveOwner",
  owner: { ...owner, uid, deletionPolicy: "Retain" },
});

function differencesOf(
  user: SipUser,
  world: UserRows,
  row: UserRows["subscribers"][number],
): readonly string[] {
  const { settings, aliases } = world;
  const credential = user.credential && credentialOf(user, user.credential, world);
  const isOther =
    credential !== undefined && "ha1" in credential && !isSameCredential(row, credential, world.realm);
  const led = aliases.filter(({ target }) => target.username === user.username).map(({ alias }) => alias);
  return [
    ...(isOther ? ["the password"] : []),
    ...((settings?.isEnabled ?? true) === user.isEnabled ? [] : ["enabled"]),
    ...(isSaid(user.displayName, settings?.displayName) ? ["displayName"] : []),
    ...(isSaid(user.maxContacts, settings?.maxContacts) ? ["maxContacts"] : []),
    ...(user.aliases.every((alias) => led.includes(alias)) ? [] : ["aliases"]),
  ];
}

const isSaid = (wanted: string | number | null, found: string | number | null = null): boolean =>
  wanted !== null && wanted !== found;
