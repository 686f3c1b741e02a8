/**
 * Reads the rows of several users of one domain, with few statements. A row belongs to the users that request exactly its name. Other tools
 * may have made tables whose collation finds other names, too. Then each user is read alone: all found rows are about its names.
 */
import type { Claim, ObjectReference, Owner, OwnerFields } from "../../ownership.ts";
import type { Installation } from "./installation.ts";
import { readClaims, readOwners } from "./owners.ts";
import {
  readAliases,
  readBoundUsernames,
  readSettingsOf,
  readSubscribers,
  type AliasRow,
  type SubscriberRow,
  type UserSettings,
} from "./user-rows.ts";

export interface AccountQuery {
  readonly reference: ObjectReference;
  readonly username: string;
  /** User parts in the same domain. */
  readonly aliases: readonly string[];
}

export interface AccountRows<Fields> {
  readonly owner: Owner<Fields> | undefined;
  /** Rows with the username or an alias as their name. */
  readonly subscribers: readonly SubscriberRow[];
  readonly aliases: readonly AliasRow[];
  /** Claims of the username and the aliases, with the domain. */
  readonly claims: readonly Claim[];
  readonly settings: UserSettings | undefined;
  readonly hasBindings: boolean;
}

/** In the order of `users`. */
export async function readAccounts<Fields extends OwnerFields>(
  installation: Installation,
  domain: string,
  users: readonly AccountQuery[],
): Promise<readonly AccountRows<Fields>[]> {
  const together = areDistinct(users) ? await readTogether<Fields>(installation, domain, users) : undefined;
  if (together !== undefined) return together;
  const each: (readonly AccountRows<Fields>[])[] = [];
  for (const user of users) each.push((await readTogether<Fields>(installation, domain, [user])) ?? []);
  return each.flat();
}

/** Undefined: a row of several users has another spelling than all requested names. */
async function readTogether<Fields extends OwnerFields>(
  installation: Installation,
  domain: string,
  users: readonly AccountQuery[],
): Promise<readonly AccountRows<Fields>[] | undefined> {
  const { database } = installation;
  const names = users.flatMap(namesOf);
  const usernames = users.map(({ username }) => username);
  // Rows are read before claims: an object that writes a row in between has written its claim, too.
  const subscribers = await readSubscribers(installation, domain, names);
  const aliases = await readAliases(database, domain, names);
  const claims = await readClaims(
    database,
    "user",
    names.map((name) => `${name}@${domain}`),
  );
  const owners = await readOwners<Fields>(
    installation,
    users.map(({ reference }) => reference),
  );
  const settings = await readSettingsOf(database, domain, usernames);
  const bound = await readBoundUsernames(database, domain, usernames);
  if (users.length > 1) {
    const found = [...subscribers, ...settings, ...bound].map(
      ({ username, domain }) => `${username}@${domain}`,
    );
    const isRequested = isIn(names.map((name) => `${name}@${domain}`));
    if (!found.every(isRequested) || !aliases.map(({ alias }) => alias).every(isIn(names))) return undefined;
  }
  return users.map((user) => {
    const requested = namesOf(user);
    const isOwn = (name: string): boolean => users.length === 1 || requested.includes(name);
    const isAccount = ({ username }: { readonly username: string }): boolean =>
      users.length === 1 || username === user.username;
    return {
      owner: owners.find(({ reference }) => isSame(reference, user.reference)),
      subscribers: subscribers.filter(({ username }) => isOwn(username)),
      aliases: aliases.filter(({ alias }) => isOwn(alias)),
      claims: claims.filter(({ name }) => isOwn(name.slice(0, -domain.length - 1))),
      settings: settings.find(isAccount)?.settings,
      hasBindings: bound.some(isAccount),
    };
  });
}

/** False: two names differ in nothing but case, so that a table may take them for one name. User parts are ASCII. */
function areDistinct(users: readonly AccountQuery[]): boolean {
  const names = new Set(users.flatMap(namesOf));
  return new Set([...names].map((name) => name.toLowerCase())).size === names.size;
}

const namesOf = ({ username, aliases }: AccountQuery): readonly string[] => [username, ...aliases];

const isIn = (names: readonly string[]): ((name: string) => boolean) => {
  const known = new Set(names);
  return (name) => known.has(name);
};

const isSame = (one: ObjectReference, other: ObjectReference): boolean =>
  one.kind === other.kind && one.namespace === other.namespace && one.name === other.name;
