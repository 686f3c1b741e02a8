/** The decision about a SipUser: its actions, its conditions and its status. Pure. */
import { reasons, resolveDeletionPolicy, determineOwnership, type DeletionPolicy } from "../ownership.ts";
import { runChecks } from "../runtime/check.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady, ready, type Decision, type DecisionDraft } from "../runtime/decision.ts";
import { splitKey } from "../runtime/object.ts";
import { checkInput, isSameAccount, namespaceNotAllowed, switchOff, userChecks } from "./checks.ts";
import { claimName, type Unserved, type UserRows, type UserState } from "./current-state.ts";
import { disableAccount, type RetainedRows } from "./disable-account.ts";
import { findForeignRows, stateAfterRemoval } from "./foreign-rows.ts";
import { observe } from "./observe.ts";
import { planRows } from "./plan-rows.ts";
import { decideRemoval, leaveOldDomain } from "./remove-rows.ts";
import type { SipUser } from "./resource.ts";
import { removeUnlistedAliases, specRemovals } from "./spec-removals.ts";
import type { UserAction } from "./user-action.ts";

/** No watch reports that a database is reachable again. */
const retryUnknownAfter = 10_000;

type Draft = DecisionDraft<UserAction>;

export function decide(user: SipUser, state: UserState): Decision<UserAction> {
  const { ready, ...draft } = draftDecision(user, state);
  // All conditions of a SipUser: a new condition is one more entry.
  return { ...draft, conditions: [ready] };
}

function draftDecision(user: SipUser, state: UserState): Draft {
  if (state.kind !== "ready") return withoutDomain(user, state);
  const { owner } = state;
  const isReplacement = determineOwnership(owner, user.uid, state.present) === "inherited";
  if (!isReplacement || owner === undefined || isSameAccount(user, state, owner))
    return draftForRows(user, state);
  // An earlier object of this name had another account. Its rows are removed, as the sweep would do.
  const draft = draftForRows(user, stateAfterRemoval(state, owner));
  const generates = draft.actions.some((action) => action.do === "generatePassword");
  return generates ? draft : { ...draft, actions: [...decideRemoval(owner), ...draft.actions] };
}

function draftForRows(user: SipUser, state: UserRows): Draft {
  const input = checkInput(user, state);
  const failed = runChecks(userChecks, input);
  if (failed !== undefined) return refusal(user, state, failed);
  if (user.adoptionPolicy === "Observe") return observe(user, state);
  const { credential } = input;
  return serve(user, state, credential !== undefined && "ha1" in credential ? credential : undefined);
}

function refusal(
  user: SipUser,
  state: UserRows,
  { ready, actions, requeueAfter }: Pick<Draft, "ready" | "actions" | "requeueAfter">,
): Draft {
  return {
    actions,
    ready,
    status: statusOf(user, state),
    freesName: actions.some(isRelease),
    isExpectedChange: true,
    ...(requeueAfter === undefined ? {} : { requeueAfter }),
  };
}

/** `credential` is undefined where the stored one stays. */
function serve(user: SipUser, state: UserRows, credential: Parameters<typeof planRows>[3]): Draft {
  const foreign = findForeignRows(user, state);
  const isAdopted = isAdoption(state) || foreign.account !== undefined || foreign.aliases.length > 0;
  const deletionPolicy = deletionPolicyOf(user, isAdopted);
  const rows = planRows(user, state, foreign, credential, { isAdopted, deletionPolicy });
  const actions = [...leaveOldDomain(state), ...rows];
  return {
    actions,
    freesName: actions.some(isRelease),
    ready: ready(`${claimName(user.username, state.domain)} ${describe(user)}${unwatchedSecretNote(state)}`),
    status: {
      ...statusOf(user, state),
      deletionPolicy,
      secretResourceVersion: state.secret?.resourceVersion,
    },
    needsFinalizer: deletionPolicy === "Delete",
    isExpectedChange: isRotated(state) && rows.every((action) => rotationActions.has(action.do)),
  };
}

const describe = ({ isEnabled }: SipUser): string =>
  isEnabled ? "can register" : "is disabled: it can neither register nor be called";

const unwatchedSecretNote = ({ secret }: UserRows): string =>
  secret?.isWatched === false
    ? "; a change of its Secret takes effect within five minutes (at once with the label sip.strowger.dev/watch=true)"
    : "";

/** The actions of a rotated credential. */
const rotationActions: ReadonlySet<UserAction["do"]> = new Set(["updateSubscriber", "saveSettings"]);

/** Whether the credential may have changed since the status was written. A Secret without a resourceVersion may always have changed. */
const isRotated = ({ secret, seenSecret }: UserRows): boolean =>
  secret !== undefined && (secret.resourceVersion === undefined || secret.resourceVersion !== seenSecret);

const statusOf = (user: SipUser, state: UserRows) => ({
  deletionPolicy: deletionPolicyOf(user, isAdoption(state)),
  address: `sip:${user.username}@${state.domain}`,
});

const deletionPolicyOf = ({ deletionPolicy, adoptionPolicy }: SipUser, isAdopted: boolean): DeletionPolicy =>
  resolveDeletionPolicy(deletionPolicy, adoptionPolicy, isAdopted);

/** The owner row records an adoption for ever. */
const isAdoption = ({ owner }: UserRows): boolean => owner?.fields.isAdopted === true;

const isRelease = (action: UserAction): boolean => action.do === "release";

/**
 * The SipDomain is absent or not served. Adopted rows are switched off too, because another tenant may get the domain. When the domain is
 * served again, the rows are restored.
 */
function withoutDomain(user: SipUser, { kind, retained, isWithdrawn, isUnknown }: Unserved): Draft {
  const actions = retained === undefined ? [] : retainedRowActions(user, retained, isWithdrawn === true);
  return {
    actions,
    freesName: actions.some(isRelease),
    ready: domainNotReady(user, kind),
    status: { deletionPolicy: deletionPolicyOf(user, retained?.owner.fields.isAdopted === true) },
    isExpectedChange: true,
    ...(isUnknown === true ? { requeueAfter: retryUnknownAfter } : {}),
  };
}

function retainedRowActions(
  user: SipUser,
  retained: RetainedRows,
  isWithdrawn: boolean,
): readonly UserAction[] {
  const isOwn = retained.owner.uid === user.uid && user.adoptionPolicy !== "Observe";
  if (!isWithdrawn) return isOwn ? specRemovals(user, retained) : [];
  return [...(isOwn ? removeUnlistedAliases(user, retained) : []), ...disableAccount(retained)];
}

function domainNotReady({ domain, reference }: SipUser, kind: "absent" | "unready"): NewCondition {
  const { namespace, name } = splitKey(domain);
  const shown = namespace === reference.namespace ? name : domain;
  return kind === "absent"
    ? notReady(reasons.domainNotFound, `there is no SipDomain ${shown}`)
    : notReady(reasons.domainNotReady, `SipDomain ${shown} is not served; its conditions say why`);
}

/**
 * The decision for a paused user: a withdrawn permission takes effect, because a user who may pause the object could evade it. The user is
 * switched off when the SipDomain no longer allows the namespace, or no longer has the domain. Undefined: no permission was withdrawn.
 */
export function decideRevocation(user: SipUser, state: UserState): Decision<UserAction> | undefined {
  const { owner } = (state.kind === "ready" ? state : state.retained) ?? {};
  const unchanged = { ...user, aliases: owner?.fields.aliases ?? user.aliases };
  if (state.kind !== "ready")
    return state.isWithdrawn === true ? withReadyOnly(withoutDomain(unchanged, state)) : undefined;
  const ready = namespaceNotAllowed({ user: unchanged, state });
  if (ready === undefined) return undefined;
  return withReadyOnly(refusal(unchanged, state, { ready, actions: switchOff({ user: unchanged, state }) }));
}

/** During a pause only the condition Ready changes. */
const withReadyOnly = ({ ready, ...draft }: Draft): Decision<UserAction> => ({
  ...draft,
  conditions: [ready],
});
