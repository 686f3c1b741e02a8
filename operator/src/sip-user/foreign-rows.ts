/** Rows of a user's names that this object did not make: whether they may be taken over. Pure. */
import { createHash } from "node:crypto";
import type { Account, Credential, SubscriberRow } from "../adapters/mysql/user-rows.ts";
import { isHeldBy, reasons, type Owner } from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { claimName, type UserRows } from "./current-state.ts";

export interface ForeignRows {
  /** The account itself is there and another tool's. */
  readonly account: SubscriberRow | undefined;
  /** Aliases that are wanted and lead to this account already, by another tool. */
  readonly aliases: readonly string[];
  /** Aliases that are wanted and lead to another account. */
  readonly elsewhere: readonly { readonly alias: string; readonly target: Account }[];
  /** A row that nobody may take over: an account called like an alias, an alias called like the account, another spelling of it. */
  readonly inTheWay: string | undefined;
}

export function foreignRows(user: SipUser, world: UserRows): ForeignRows {
  const { username } = user;
  const owned = world.owner?.fields.domain === world.domain ? world.owner.fields : undefined;
  const isOwned = (alias: string, target: Account): boolean =>
    owned?.aliases.includes(alias) === true && target.username === username;
  const subscriber = world.subscribers.find((row) => row.username !== username);
  const hiding = world.aliases.find(({ alias }) => !user.aliases.includes(alias));
  const theirs = world.aliases.filter((row) => row !== hiding && !isOwned(row.alias, row.target));
  const isHere = ({ target }: { readonly target: Account }): boolean =>
    target.username === username && target.domain.toLowerCase() === world.domain;
  return {
    account: owned === undefined ? world.subscribers.find((row) => row.username === username) : undefined,
    aliases: theirs.filter(isHere).map(({ alias }) => alias),
    elsewhere: theirs.filter((row) => !isHere(row)),
    inTheWay:
      subscriber !== undefined
        ? `a subscriber ${claimName(subscriber.username, world.domain)}`
        : hiding && `an alias ${claimName(hiding.alias, world.domain)}`,
  };
}

/** Why rows are not taken over; undefined: there are none, or they may be. `credential` is the spec's, where it gives one. */
export function foreignObstacle(
  user: SipUser,
  world: UserRows,
  foreign: ForeignRows,
  credential: Credential | undefined,
): NewCondition | undefined {
  const { adoptionPolicy, username } = user;
  const { account, aliases, elsewhere, inTheWay } = foreign;
  const [moved] = elsewhere;
  const alias = moved?.alias ?? aliases[0];
  if (inTheWay !== undefined) return left(inTheWay);
  if (adoptionPolicy === "Enforce") return undefined;
  if (adoptionPolicy === "Never") {
    if (account !== undefined) return left(`a subscriber ${claimName(username, world.domain)}`, adopts);
    return alias === undefined ? undefined : left(`an alias ${claimName(alias, world.domain)}`, adopts);
  }
  if (moved !== undefined)
    return left(`an alias ${claimName(moved.alias, world.domain)} of ${moved.target.username}`, enforces);
  // A password that is yet to be made cannot be the one that is there.
  const isSame =
    credential !== undefined && account !== undefined && isSameCredential(account, credential, world.realm);
  const isLeft = credential === undefined && user.credential?.kind !== "generated";
  if (account === undefined || isSame || isLeft) return undefined;
  return notReady(
    reasons.conflict,
    `the database has a subscriber ${claimName(username, world.domain)} with another password; it is left as it is${enforces}`,
  );
}

const adopts = " (adoptionPolicy Adopt takes it over)";
const enforces = " (adoptionPolicy Enforce overwrites it)";

const left = (what: string, hint = ""): NewCondition =>
  notReady(
    reasons.conflict,
    `the database has ${what} that this operator did not make; it is left as it is${hint}`,
  );

/** Another tool may have stored the plain password instead of its hash. */
export function isSameCredential(
  { username, ha1, plain }: SubscriberRow,
  credential: Credential,
  realm: string,
): boolean {
  if (ha1 !== "") return ha1.toLowerCase() === credential.ha1;
  return createHash("md5").update(`${username}:${realm}:${plain}`).digest("hex") === credential.ha1;
}

/** The world once the rows of that owner were removed. */
export function afterRemoval(
  world: UserRows,
  { reference, deletionPolicy, fields }: Owner<UserFields>,
): UserRows {
  const isHere = deletionPolicy === "Delete" && fields.domain === world.domain;
  const isGone = (name: string): boolean => isHere && name === fields.username;
  return {
    ...world,
    owner: undefined,
    claims: world.claims.filter((claim) => !isHeldBy(claim, world.installationId, reference)),
    subscribers: world.subscribers.filter(({ username }) => !isGone(username)),
    aliases: world.aliases.filter(
      ({ alias, target }) => !(isGone(target.username) && fields.aliases.includes(alias)),
    ),
    ...(isGone(fields.username) && world.subscribers.some(({ username }) => isGone(username))
      ? { settings: undefined, hasBindings: false }
      : {}),
  };
}
