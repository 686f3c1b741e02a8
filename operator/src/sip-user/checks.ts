/** The checks that a SipUser has to pass before its rows are written. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Credential } from "../adapters/mysql/user-rows.ts";
import { claimConflict, olderObjectConflict, reasons, determineOwnership, type Owner } from "../ownership.ts";
import type { Check } from "../runtime/check.ts";
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import { credentialOf } from "./credential.ts";
import type { UserRows } from "./current-state.ts";
import { disableAccount } from "./disable-account.ts";
import { findForeignRows, foreignRowConflict } from "./foreign-rows.ts";
import { leaveOldDomain } from "./remove-rows.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { removeUnlistedAliases, specRemovals } from "./spec-removals.ts";
import type { UserAction } from "./user-action.ts";

export interface UserCheckInput {
  readonly user: SipUser;
  readonly state: UserRows;
  /** A condition: the Secret gives no usable credential. Undefined: the spec names no Secret, or the Secret is not known yet. */
  readonly credential: Credential | NewCondition | undefined;
}

export function checkInput(user: SipUser, state: UserRows): UserCheckInput {
  const isUnknown = state.secretFailure !== undefined || isPasswordMissing(user, state);
  const credential =
    user.credential === undefined || isUnknown ? undefined : credentialOf(user, user.credential, state);
  return { user, state, credential };
}

/** No watch reports that a row of another tool, or a claim, is gone. */
const retryAfter = (): Ms => 10_000;
const retryUnwatchedSecretAfter = 30_000;

/** In this order. A SipUser whose SipDomain is not served is refused before: it has no rows to check. */
export const userChecks: readonly Check<UserCheckInput, UserAction>[] = [
  { name: "the owner of the rows is known", failure: ownerUnproven, actions: () => [], retryAfter },
  { name: "immutable fields are unchanged", failure: immutableFieldChanged, actions: removalsOfSameAccount },
  { name: "the SipDomain allows the namespace", failure: namespaceNotAllowed, actions: switchOff },
  { name: "no other object has a name", failure: nameClaimed, actions: removals, retryAfter },
  { name: "no older object requests a name", failure: nameLeftToOlder, actions: removals, retryAfter },
  { name: "the Secret could be read", failure: secretUnread, actions: removals },
  { name: "rows of other tools can be taken over", failure: rowsNotAdoptable, actions: removals, retryAfter },
  { name: "each alias is listed once", failure: aliasListedTwice, actions: removals, retryAfter },
  {
    name: "the password was generated",
    failure: passwordMissing,
    actions: generatePassword,
    retryAfter: () => 0,
  },
  {
    name: "the Secret has a usable credential",
    failure: credentialUnusable,
    actions: removals,
    retryAfter: ({ state }) => (state.secret?.isWatched === true ? undefined : retryUnwatchedSecretAfter),
  },
  { name: "there is a credential", failure: credentialMissing, actions: removals },
];

/** The rows may belong to an earlier object of this name that still exists. */
function ownerUnproven({ user, state }: UserCheckInput): NewCondition | undefined {
  const ownership = determineOwnership(state.owner, user.uid, state.present);
  return typeof ownership === "object" ? ownership : undefined;
}

function immutableFieldChanged({ user, state: { owner } }: UserCheckInput): NewCondition | undefined {
  return owner?.uid === user.uid && !isDeepStrictEqual(owner.fields.spec, user.immutable)
    ? notReady(
        reasons.immutableField,
        "domainRef and username cannot change; remove this object and make a new one",
      )
    : undefined;
}

export function namespaceNotAllowed({
  user,
  state,
}: Pick<UserCheckInput, "user" | "state">): NewCondition | undefined {
  return state.isAllowed
    ? undefined
    : notReady(
        reasons.notAllowed,
        `SipDomain ${user.domain} takes no users of this namespace; see its allowedNamespaces`,
      );
}

function nameClaimed({ user, state }: UserCheckInput): NewCondition | undefined {
  return claimConflict(state.claims, state.installationId, user.reference);
}

/** An object that only observes needs no name, no credential and no rows: the checks from here on are not for it. */
function nameLeftToOlder({ user, state }: UserCheckInput): NewCondition | undefined {
  return isObserver(user) ? undefined : olderObjectConflict(state.olderObjects, user.reference);
}

function secretUnread({ user, state }: UserCheckInput): NewCondition | undefined {
  return isObserver(user) || state.secretFailure === undefined
    ? undefined
    : notReady("InternalError", "its Secret could not be read");
}

function rowsNotAdoptable({ user, state, credential }: UserCheckInput): NewCondition | undefined {
  if (isObserver(user)) return undefined;
  const usable = credential !== undefined && "ha1" in credential ? credential : undefined;
  return foreignRowConflict(user, state, findForeignRows(user, state), usable);
}

function aliasListedTwice({ user }: UserCheckInput): NewCondition | undefined {
  const { aliases } = user;
  const name = isObserver(user)
    ? undefined
    : aliases.find((alias, index) => aliases.indexOf(alias) !== index);
  return name === undefined ? undefined : notReady(reasons.conflict, `the alias ${name} is listed twice`);
}

function passwordMissing({ user, state }: UserCheckInput): NewCondition | undefined {
  return !isObserver(user) && isPasswordMissing(user, state)
    ? notReady(reasons.generatingPassword, "the password is being generated")
    : undefined;
}

function credentialUnusable({ user, credential }: UserCheckInput): NewCondition | undefined {
  return !isObserver(user) && credential !== undefined && "reason" in credential ? credential : undefined;
}

function credentialMissing({ user, state }: UserCheckInput): NewCondition | undefined {
  return !isObserver(user) && user.credential === undefined && state.subscribers.length === 0
    ? notReady(
        reasons.credentialMissing,
        "the database has no such subscriber to adopt, and the spec names no credential to create one with",
      )
    : undefined;
}

const isObserver = ({ adoptionPolicy }: SipUser): boolean => adoptionPolicy === "Observe";

const isPasswordMissing = ({ credential }: SipUser, { secret }: UserRows): boolean =>
  credential?.kind === "generated" && secret === undefined;

/** The removals in the spec. If the SipDomain has another domain than before, the rows in the old domain are removed. */
function removals({ user, state, credential }: UserCheckInput): readonly UserAction[] {
  const { owner } = state;
  if (owner === undefined) return [];
  if (!isSameAccount(user, state, owner)) return [...leaveOldDomain(state), { do: "removeOwner" }];
  const subscriber = state.subscribers.find(({ username }) => username === user.username);
  return specRemovals(user, { ...state, owner, subscriber }, credential);
}

/** After a change of the username or the domain nothing is removed. The stored credential stays. */
function removalsOfSameAccount({ user, state }: UserCheckInput): readonly UserAction[] {
  const isSame = state.owner !== undefined && isSameAccount(user, state, state.owner);
  return isSame ? removals({ user, state, credential: undefined }) : [];
}

function generatePassword(input: UserCheckInput): readonly UserAction[] {
  const { credential } = input.user;
  return credential === undefined
    ? []
    : [...removals(input), { do: "generatePassword", secret: credential.secret, key: credential.key }];
}

/** The rows stay, and nobody can log in as the user. */
export function switchOff({ user, state }: Pick<UserCheckInput, "user" | "state">): readonly UserAction[] {
  const { owner } = state;
  if (owner === undefined) return [];
  const removed = isObserver(user) ? [] : removeUnlistedAliases(user, { owner });
  return [...removed, ...disableAccount({ ...state, owner })];
}

/** Whether the owner row is for the account in the spec. */
export const isSameAccount = (user: SipUser, { domain }: UserRows, { fields }: Owner<UserFields>): boolean =>
  fields.username === user.username && fields.domain === domain;
