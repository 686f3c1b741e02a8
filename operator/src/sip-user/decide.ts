/** What to do about a SipUser: nothing while its domain, Secret or names are not to be had, else whatever its rows lack. */
import { isDeepStrictEqual } from "node:util";
import type { Account, Credential, UserSettings } from "../adapters/mysql/user-rows.ts";
import { describeOwner, isHeldBy, type Owner } from "../ownership.ts";
import type { Verdict } from "../runtime/condition.ts";
import { isReady, notReady, type Decision } from "../runtime/decision.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { credentialOf } from "./credential.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { claimName, type ReadyDomain, type UserWorld } from "./world.ts";

export type UserAction =
  | { readonly do: "generatePassword"; readonly secret: ObjectKey; readonly key: string }
  | { readonly do: "claim" | "release"; readonly name: string }
  | {
      readonly do: "insertSubscriber" | "updateSubscriber";
      readonly account: Account;
      readonly credential: Credential;
    }
  | { readonly do: "deleteSubscriber" | "removeBindings"; readonly account: Account }
  | { readonly do: "saveSettings"; readonly account: Account; readonly settings: UserSettings }
  | { readonly do: "insertAlias" | "deleteAlias"; readonly account: Account; readonly alias: string }
  | { readonly do: "saveOwner"; readonly owner: Owner<UserFields> }
  | { readonly do: "removeOwner" };

/** Nobody tells when a row of another tool goes. */
const lookAgain = 10_000;

export function decide(user: SipUser, world: UserWorld): Decision<UserAction> {
  const { domain } = world;
  const { deletionPolicy } = user;
  if (domain.kind !== "ready")
    return { actions: [], ready: domainObstacle(user, domain.kind), status: { deletionPolicy } };
  const status = { deletionPolicy, address: `sip:${user.username}@${domain.domain}` };
  const obstacle = immutableObstacle(user, world);
  if (obstacle !== undefined) return { actions: [], ready: obstacle, status };
  const previous = previousFields(world, domain);
  const conflict = conflictOf(user, world, domain, previous);
  if (conflict !== undefined) return { actions: [], ready: conflict, status, requeueAfter: lookAgain };
  if (user.credential.kind === "generated" && world.secret === undefined) {
    const { secret, key } = user.credential;
    return {
      actions: [{ do: "generatePassword", secret, key }],
      ready: notReady("GeneratingPassword", "a password is being made"),
      status,
      requeueAfter: 0,
    };
  }
  const credential = credentialOf(user, domain.realm, world.secret);
  if (!("ha1" in credential)) return { actions: [], ready: credential, status };
  const says = user.isEnabled ? "can register" : "is disabled: it can neither register nor be called";
  return {
    actions: [...leaveOldDomain(world, previous), ...actionsFor(user, world, domain, previous, credential)],
    ready: isReady(`${user.username}@${domain.domain} ${says}`),
    status,
  };
}

/** Knows only the owner row: the object is gone. */
export function decideRemoval({ deletionPolicy, fields }: Owner<UserFields>): readonly UserAction[] {
  return [...(deletionPolicy === "Delete" ? removeRows(fields) : []), { do: "removeOwner" }];
}

const domainObstacle = ({ domainName }: SipUser, kind: "absent" | "unready"): Verdict =>
  kind === "absent"
    ? notReady("DomainNotFound", `there is no SipDomain ${domainName} in this namespace`)
    : notReady("DomainNotReady", `SipDomain ${domainName} is not served yet; its conditions say why`);

function immutableObstacle({ immutable }: SipUser, { owner }: UserWorld): Verdict | undefined {
  if (owner === undefined || isDeepStrictEqual(owner.fields.spec, immutable)) return undefined;
  return notReady(
    "ImmutableField",
    "domainRef and username cannot change; remove this object and make a new one",
  );
}

/** What the owner row says of rows in this domain. (A SipDomain that was made anew may have another domain than before.) */
const previousFields = ({ owner }: UserWorld, { domain }: ReadyDomain): UserFields | undefined =>
  owner?.fields.domain === domain ? owner.fields : undefined;

function leaveOldDomain({ owner }: UserWorld, previous: UserFields | undefined): readonly UserAction[] {
  if (owner === undefined || previous !== undefined) return [];
  const { username, domain, aliases } = owner.fields;
  const names = [username, ...aliases].map((name) => claimName(name, domain));
  return [...removeRows(owner.fields), ...names.map((name) => ({ do: "release", name }) as const)];
}

function removeRows({ username, domain, aliases }: UserFields): readonly UserAction[] {
  const account = { username, domain };
  return [
    ...aliases.map((alias) => ({ do: "deleteAlias", account, alias }) as const),
    { do: "deleteSubscriber", account },
    { do: "removeBindings", account },
  ];
}

/** Claims first: they name who is in the way. Then rows that nobody claimed, which another tool must have made. */
function conflictOf(
  { reference, username, aliases }: SipUser,
  { installationId }: UserWorld,
  found: ReadyDomain,
  previous: UserFields | undefined,
): Verdict | undefined {
  const claim = found.claims.find((other) => !isHeldBy(other, installationId, reference));
  if (claim !== undefined)
    return notReady(
      "Conflict",
      `the name ${claim.name} belongs to ${describeOwner(claim, reference.namespace)}`,
    );
  const subscriber = found.subscribers.find((row) => previous === undefined || row.username !== username);
  if (subscriber !== undefined) return foreign("a subscriber", claimName(subscriber.username, found.domain));
  const alias = found.aliases.find(
    (row) => previous?.aliases.includes(row.alias) !== true || row.target.username !== username,
  );
  if (alias !== undefined) return foreign("an alias", claimName(alias.alias, found.domain));
  const twice = aliases.find((name, index) => aliases.indexOf(name) !== index);
  return twice === undefined ? undefined : notReady("Conflict", `the alias ${twice} is there twice`);
}

const foreign = (what: string, name: string): Verdict =>
  notReady(
    "Conflict",
    `the database has ${what} ${name} that this operator did not make; it is left as it is`,
  );

function actionsFor(
  user: SipUser,
  { owner }: UserWorld,
  found: ReadyDomain,
  previous: UserFields | undefined,
  credential: Credential,
): readonly UserAction[] {
  const { domain } = found;
  const account = { username: user.username, domain };
  const settings = {
    isEnabled: user.isEnabled,
    maxContacts: user.maxContacts,
    displayName: user.displayName,
  };
  const names = [user.username, ...user.aliases].map((name) => claimName(name, domain));
  const gone = (previous?.aliases ?? []).filter((alias) => !user.aliases.includes(alias));
  const subscriber = subscriberAction(account, found.subscribers[0], credential);
  const isUnchanged = subscriber === undefined && isDeepStrictEqual(found.settings, settings);
  const owns = ownerOf(user, domain);
  return [
    ...gone.flatMap((alias): UserAction[] => [
      { do: "deleteAlias", account, alias },
      { do: "release", name: claimName(alias, domain) },
    ]),
    ...names
      .filter((name) => found.claims.every((claim) => claim.name !== name))
      .map((name) => ({ do: "claim", name }) as const),
    ...(subscriber === undefined ? [] : [subscriber]),
    // Also when only the credential changed: nodes read by the change number, which is here.
    ...(isUnchanged ? [] : [{ do: "saveSettings", account, settings } as const]),
    ...user.aliases
      .filter((alias) => found.aliases.every((row) => row.alias !== alias))
      .map((alias) => ({ do: "insertAlias", account, alias }) as const),
    ...(!user.isEnabled && found.hasBindings ? [{ do: "removeBindings", account } as const] : []),
    ...(isSameOwner(owner, owns) ? [] : [{ do: "saveOwner", owner: owns } as const]),
  ];
}

function subscriberAction(
  account: Account,
  row: Credential | undefined,
  credential: Credential,
): UserAction | undefined {
  if (row === undefined) return { do: "insertSubscriber", account, credential };
  const isEqual = row.ha1 === credential.ha1 && row.ha1Sha256 === credential.ha1Sha256;
  return isEqual ? undefined : { do: "updateSubscriber", account, credential };
}

const ownerOf = (
  { reference, uid, generation, deletionPolicy, immutable, username, aliases }: SipUser,
  domain: string,
): Owner<UserFields> => ({
  reference,
  uid,
  generation,
  deletionPolicy,
  fields: { spec: immutable, username, domain, aliases },
});

/** The generation is a note for people: a change of it alone is worth no transaction. */
const isSameOwner = (found: Owner | undefined, owner: Owner): boolean =>
  found !== undefined && isDeepStrictEqual({ ...found, generation: owner.generation }, owner);
