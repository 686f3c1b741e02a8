/**
 * What to do about a SipUser: whatever its rows lack; while its domain, Secret or names are not to be had only what the spec takes away.
 */
import { isDeepStrictEqual } from "node:util";
import { claimConflict, elderConflict, reasons, standingOf } from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { ready, notReady, type Decision } from "../runtime/decision.ts";
import { credentialOf } from "./credential.ts";
import { afterRemoval, foreignObstacle, foreignRows } from "./foreign-rows.ts";
import { observe } from "./observe.ts";
import { planRows } from "./plan-rows.ts";
import {
  isAdoption,
  isRelease,
  isSameAccount,
  lookAgain,
  nothingOf,
  policyOf,
  refuse,
  shutOut,
  statusOf,
  unserved,
} from "./refuse.ts";
import { decideRemoval, leaveOldDomain } from "./remove-rows.ts";
import type { SipUser } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows, type UserState } from "./current-state.ts";

/** Nobody tells when a Secret comes that is not watched. */
const lookForSecret = 30_000;

export function decide(user: SipUser, world: UserState): Decision<UserAction> {
  if (world.kind !== "ready") return unserved(user, world);
  const { owner } = world;
  const standing = standingOf(owner, user.uid, world.present);
  if (typeof standing === "object") return { ...nothingOf(user, world, standing), requeueAfter: lookAgain };
  if (standing !== "heir" || owner === undefined || isSameAccount(user, world, owner))
    return decideOwn(user, world);
  // An earlier object of this name was for another account: what it made goes as if it had been swept.
  const decided = decideOwn(user, afterRemoval(world, owner));
  const isNow = decided.actions.some((action) => action.do === "generatePassword");
  return isNow ? decided : { ...decided, actions: [...decideRemoval(owner), ...decided.actions] };
}

/**
 * What is done for a user that is paused, too, for it is not up to whoever can pause it: nobody logs in any more once the domain takes no
 * users of this namespace, or is not its SipDomain's any more. Undefined: nothing.
 */
export function decideRevocation(user: SipUser, world: UserState): Decision<UserAction> | undefined {
  const { owner } = (world.kind === "ready" ? world : world.kept) ?? {};
  const asBefore = { ...user, aliases: owner?.fields.aliases ?? user.aliases };
  if (world.kind === "ready") return world.isAllowed ? undefined : shutOut(asBefore, world);
  return world.isWithdrawn === true ? unserved(asBefore, world) : undefined;
}

function decideOwn(user: SipUser, world: UserRows): Decision<UserAction> {
  const { owner } = world;
  if (owner?.uid === user.uid && !isDeepStrictEqual(owner.fields.spec, user.immutable))
    return isSameAccount(user, world, owner)
      ? refuse(user, world, immutableChanged)
      : nothingOf(user, world, immutableChanged);
  if (!world.isAllowed) return shutOut(user, world);
  const held = claimConflict(world.claims, world.installationId, user.reference);
  // What is said of a row that is observed (that its password is another one) is not for everybody.
  if (user.adoptionPolicy === "Observe" && held === undefined) return observe(user, world);
  const taken = held ?? elderConflict(world.elders, user.reference);
  if (world.secretFailure !== undefined) return refuse(user, world, taken ?? secretUnread);
  const foreign = foreignRows(user, world);
  const credential = user.credential && credentialOf(user, user.credential, world);
  const isKnown = credential !== undefined && "ha1" in credential;
  const conflict =
    taken ?? foreignObstacle(user, world, foreign, isKnown ? credential : undefined) ?? twice(user);
  if (conflict !== undefined)
    return { ...refuse(user, world, conflict, credential), requeueAfter: lookAgain };
  if (user.credential?.kind === "generated" && world.secret === undefined) {
    const { secret, key } = user.credential;
    const refused = refuse(user, world, notReady(reasons.generatingPassword, "a password is being made"));
    return {
      ...refused,
      actions: [...refused.actions, { do: "generatePassword", secret, key }],
      requeueAfter: 0,
    };
  }
  if (credential !== undefined && !isKnown)
    return {
      ...refuse(user, world, credential, credential),
      ...(world.secret?.isWatched === true ? {} : { requeueAfter: lookForSecret }),
    };
  if (credential === undefined && world.subscribers.length === 0) return refuse(user, world, nothingToAdopt);
  const isAdopted = isAdoption(world) || foreign.account !== undefined || foreign.aliases.length > 0;
  const deletionPolicy = policyOf(user, isAdopted);
  const rows = planRows(user, world, foreign, credential, { isAdopted, deletionPolicy });
  const actions = [...leaveOldDomain(world), ...rows];
  return {
    actions,
    freesName: actions.some(isRelease),
    ready: ready(`${claimName(user.username, world.domain)} ${saysOf(user)}${rotationOf(world)}`),
    status: {
      ...statusOf(user, world),
      deletionPolicy,
      secretResourceVersion: world.secret?.resourceVersion,
    },
    needsFinalizer: deletionPolicy === "Delete",
    isExpectedChange: isRotated(world) && rows.every((action) => rotates.has(action.do)),
  };
}

const saysOf = ({ isEnabled }: SipUser): string =>
  isEnabled ? "can register" : "is disabled: it can neither register nor be called";

const rotationOf = ({ secret }: UserRows): string =>
  secret?.isWatched === false
    ? "; a change of its Secret is seen within five minutes (at once with the label sip.strowger.dev/watch=true)"
    : "";

/** What a rotated credential changes. */
const rotates: ReadonlySet<UserAction["do"]> = new Set(["updateSubscriber", "saveSettings"]);

/** Whether the credential may have changed since the status was written; without numbers that cannot be told. */
const isRotated = ({ secret, seenSecret }: UserRows): boolean =>
  secret !== undefined && (secret.resourceVersion === undefined || secret.resourceVersion !== seenSecret);

const immutableChanged = notReady(
  reasons.immutableField,
  "domainRef and username cannot change; remove this object and make a new one",
);

const secretUnread = notReady("InternalError", "its Secret could not be read");

const nothingToAdopt = notReady(
  reasons.credentialMissing,
  "the database has no such subscriber to adopt, and the spec gives no credential to make one with",
);

function twice({ aliases }: SipUser): NewCondition | undefined {
  const name = aliases.find((alias, index) => aliases.indexOf(alias) !== index);
  return name === undefined ? undefined : notReady(reasons.conflict, `the alias ${name} is there twice`);
}
