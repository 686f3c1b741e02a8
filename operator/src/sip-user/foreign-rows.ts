/** Rows with a user's names that another tool made: whether the SipUser may take them over. Pure. */
import { createHash } from "node:crypto";
import type { Account, Credential, SubscriberRow } from "../adapters/mysql/user-rows.ts";
import { isHeldBy, reasons, type Owner } from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { claimName, type UserRows } from "./current-state.ts";

export interface ForeignRows {
  /** The row of the account, where another tool made it. */
  readonly account: SubscriberRow | undefined;
  /** Aliases in the spec that another tool made for this account. */
  readonly aliases: readonly string[];
  /** Aliases in the spec that belong to another account. */
  readonly elsewhere: readonly { readonly alias: string; readonly target: Account }[];
  /** A row that cannot be taken over: an account with the name of an alias, an alias with the name of the account, another spelling of it. */
  readonly blocking: string | undefined;
}

export function findForeignRows(user: SipUser, state: UserRows): ForeignRows {
  const { username } = user;
  const owned = state.owner?.fields.domain === state.domain ? state.owner.fields : undefined;
  const isOwned = (alias: string, target: Account): boolean =>
    owned?.aliases.includes(alias) === true && target.username === username;
  const subscriber = state.subscribers.find((row) => row.username !== username);
  const otherAlias = state.aliases.find(({ alias }) => !user.aliases.includes(alias));
  const foreign = state.aliases.filter((row) => row !== otherAlias && !isOwned(row.alias, row.target));
  const isHere = ({ target }: { readonly target: Account }): boolean =>
    target.username === username && target.domain.toLowerCase() === state.domain;
  return {
    account: owned === undefined ? state.subscribers.find((row) => row.username === username) : undefined,
    aliases: foreign.filter(isHere).map(({ alias }) => alias),
    elsewhere: foreign.filter((row) => !isHere(row)),
    blocking:
      subscriber !== undefined
        ? `a subscriber ${claimName(subscriber.username, state.domain)}`
        : otherAlias && `an alias ${claimName(otherAlias.alias, state.domain)}`,
  };
}

/** Undefined: there are no such rows, or they may be taken over. `credential` is the credential of the spec, where it has one. */
export function foreignRowConflict(
  user: SipUser,
  state: UserRows,
  foreign: ForeignRows,
  credential: Credential | undefined,
): NewCondition | undefined {
  const { adoptionPolicy, username } = user;
  const { account, aliases, elsewhere, blocking } = foreign;
  const [ofOther] = elsewhere;
  const alias = ofOther?.alias ?? aliases[0];
  if (blocking !== undefined) return notTakenOver(blocking);
  if (adoptionPolicy === "Enforce") return undefined;
  if (adoptionPolicy === "Never") {
    if (account !== undefined)
      return notTakenOver(`a subscriber ${claimName(username, state.domain)}`, adopts);
    return alias === undefined
      ? undefined
      : notTakenOver(`an alias ${claimName(alias, state.domain)}`, adopts);
  }
  if (ofOther !== undefined)
    return notTakenOver(
      `an alias ${claimName(ofOther.alias, state.domain)} of ${ofOther.target.username}`,
      enforces,
    );
  // A password that is not generated yet differs from every stored one.
  const isSame =
    credential !== undefined && account !== undefined && isSameCredential(account, credential, state.realm);
  const keepsStored = credential === undefined && user.credential?.kind !== "generated";
  if (account === undefined || isSame || keepsStored) return undefined;
  return notReady(
    reasons.conflict,
    `the database has a subscriber ${claimName(username, state.domain)} with another password; it stays as it is${enforces}`,
  );
}

const adopts = " (adoptionPolicy Adopt takes it over)";
const enforces = " (adoptionPolicy Enforce overwrites it)";

const notTakenOver = (what: string, hint = ""): NewCondition =>
  notReady(
    reasons.conflict,
    `the database has ${what} that this operator did not make; it stays as it is${hint}`,
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

/** The current state without the rows of that owner. */
export function stateAfterRemoval(
  state: UserRows,
  { reference, deletionPolicy, fields }: Owner<UserFields>,
): UserRows {
  const isHere = deletionPolicy === "Delete" && fields.domain === state.domain;
  const isGone = (name: string): boolean => isHere && name === fields.username;
  return {
    ...state,
    owner: undefined,
    claims: state.claims.filter((claim) => !isHeldBy(claim, state.installationId, reference)),
    subscribers: state.subscribers.filter(({ username }) => !isGone(username)),
    aliases: state.aliases.filter(
      ({ alias, target }) => !(isGone(target.username) && fields.aliases.includes(alias)),
    ),
    ...(isGone(fields.username) && state.subscribers.some(({ username }) => isGone(username))
      ? { settings: undefined, hasBindings: false }
      : {}),
  };
}
