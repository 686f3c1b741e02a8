/** What is said, and what is taken away, while a SipUser cannot be served as its spec says (ADR 33). Pure. */
import type { Credential } from "../adapters/mysql/user-rows.ts";
import { reasons, resolveDeletionPolicy, type Owner } from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady, type Decision } from "../runtime/decision.ts";
import { splitKey } from "../runtime/object.ts";
import { leaveOldDomain } from "./remove-rows.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { releaseUnlisted, revoke } from "./revoke.ts";
import { disableAccount, type RetainedRows } from "./disable-account.ts";
import type { UserAction } from "./user-action.ts";
import type { Unserved, UserRows } from "./current-state.ts";

/** Nobody tells when a row of another tool goes. */
export const lookAgain = 10_000;
/** Nothing is done but what the spec takes away from rows that are this object's. */
export function refuse(
  user: SipUser,
  world: UserRows,
  ready: NewCondition,
  credential?: Credential | NewCondition,
): Decision<UserAction> {
  const actions = revocations(user, world, credential);
  return {
    ...nothingOf(user, world, ready),
    actions,
    freesName: actions.some(isRelease),
    isExpectedChange: true,
  };
}

export const nothingOf = (user: SipUser, world: UserRows, ready: NewCondition): Decision<UserAction> => ({
  actions: [],
  ready,
  status: statusOf(user, world),
});

function revocations(
  user: SipUser,
  world: UserRows,
  credential: Credential | NewCondition | undefined,
): readonly UserAction[] {
  const { owner } = world;
  if (owner === undefined) return [];
  if (!isSameAccount(user, world, owner)) return [...leaveOldDomain(world), { do: "removeOwner" }];
  const subscriber = world.subscribers.find(({ username }) => username === user.username);
  return revoke(user, { ...world, owner, subscriber }, credential);
}

export const isRelease = (action: UserAction): boolean => action.do === "release";

export const statusOf = (user: SipUser, world: UserRows) => ({
  deletionPolicy: policyOf(user, isAdoption(world)),
  address: `sip:${user.username}@${world.domain}`,
});

export const policyOf = ({ deletionPolicy, adoptionPolicy }: SipUser, isAdopted: boolean) =>
  resolveDeletionPolicy(deletionPolicy, adoptionPolicy, isAdopted);

/** Once adopted, always: the owner row remembers. */
export const isAdoption = ({ owner }: UserRows): boolean => owner?.fields.isAdopted === true;

/** An adopted row is switched off like any other: the name may be another tenant's tomorrow. With the domain all of it comes back. */
export function unserved(
  user: SipUser,
  { kind, kept, isWithdrawn, isUnknown }: Unserved,
): Decision<UserAction> {
  const actions = kept === undefined ? [] : leftInOldRows(user, kept, isWithdrawn === true);
  return {
    actions,
    freesName: actions.some(isRelease),
    ready: domainObstacle(user, kind),
    status: { deletionPolicy: policyOf(user, kept?.owner.fields.isAdopted === true) },
    isExpectedChange: true,
    ...(isUnknown === true ? { requeueAfter: lookAgain } : {}),
  };
}

function leftInOldRows(user: SipUser, kept: RetainedRows, isWithdrawn: boolean): readonly UserAction[] {
  const isOwn = kept.owner.uid === user.uid && user.adoptionPolicy !== "Observe";
  if (!isWithdrawn) return isOwn ? revoke(user, kept) : [];
  return [...(isOwn ? releaseUnlisted(user, kept) : []), ...disableAccount(kept)];
}

function domainObstacle({ domain, reference }: SipUser, kind: "absent" | "unready"): NewCondition {
  const { namespace, name } = splitKey(domain);
  const shown = namespace === reference.namespace ? name : domain;
  return kind === "absent"
    ? notReady(reasons.domainNotFound, `there is no SipDomain ${shown}`)
    : notReady(reasons.domainNotReady, `SipDomain ${shown} is not served; its conditions say why`);
}

/** No longer (or never) allowed: the rows that are there stay, and nobody can log in with them. */
export function shutOut(user: SipUser, world: UserRows): Decision<UserAction> {
  const { owner } = world;
  const verdict = notReady(
    reasons.notAllowed,
    `SipDomain ${user.domain} takes no users of this namespace; see its allowedNamespaces`,
  );
  const refused = nothingOf(user, world, verdict);
  if (owner === undefined) return refused;
  const released = user.adoptionPolicy === "Observe" ? [] : releaseUnlisted(user, { owner });
  const actions = [...released, ...disableAccount({ ...world, owner })];
  return { ...refused, actions, freesName: released.length > 0, isExpectedChange: true };
}

export const isSameAccount = (user: SipUser, { domain }: UserRows, { fields }: Owner<UserFields>): boolean =>
  fields.username === user.username && fields.domain === domain;
