/** The decision about a SipDomain: its actions, its conditions and its status. Pure. */
import { reasons, determineOwnership, type Owner } from "../ownership.ts";
import { runChecks } from "../runtime/check.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady, ready, type Decision, type DecisionDraft } from "../runtime/decision.ts";
import { domainChecks, namesNotAllowed, switchOff } from "./checks.ts";
import { nameFor, type DomainRows, type DomainState } from "./current-state.ts";
import type { DomainAction } from "./domain-action.ts";
import { stateAfterRemoval } from "./foreign-rows.ts";
import { deletionPolicyOf, isAdoption, namesOf, planRows, saveOwner } from "./plan-rows.ts";
import type { DomainFields, SipDomain } from "./resource.ts";

/** No watch reports a change of a row that is only observed. */
const observeAgainAfter = 10_000;

type Draft = DecisionDraft<DomainAction>;

export function decide(domain: SipDomain, state: DomainState): Decision<DomainAction> {
  const { ready, ...draft } = draftDecision(domain, state);
  // All conditions of a SipDomain: a new condition is one more entry.
  return { ...draft, conditions: [ready] };
}

function draftDecision(domain: SipDomain, state: DomainState): Draft {
  if (state.kind !== "ready")
    return {
      actions: [],
      ready: clusterNotReady(domain, state.kind),
      status: { deletionPolicy: deletionPolicyOf(domain, false) },
    };
  const { owner } = state;
  if (owner === undefined || !isReplacement(domain, state, owner)) return draftForRows(domain, state);
  // An earlier object of this name had another domain. Its rows are removed, as the sweep would do.
  const draft = draftForRows(domain, stateAfterRemoval(state, owner));
  return { ...draft, actions: [...decideRemoval(owner), ...draft.actions] };
}

const isReplacement = (
  { uid, domain, realm }: SipDomain,
  { present }: DomainRows,
  owner: Owner<DomainFields>,
): boolean =>
  determineOwnership(owner, uid, present) === "inherited" &&
  (owner.fields.domain !== domain || owner.fields.realm !== realm);

function draftForRows(domain: SipDomain, state: DomainRows): Draft {
  const failed = runChecks(domainChecks, { domain, state });
  if (failed !== undefined) return refusal(domain, state, failed);
  return domain.adoptionPolicy === "Observe" ? observe(domain, state) : serve(domain, state);
}

function refusal(
  domain: SipDomain,
  state: DomainRows,
  { ready, actions, requeueAfter }: Pick<Draft, "ready" | "actions" | "requeueAfter">,
): Draft {
  return {
    actions,
    ready,
    status: { deletionPolicy: deletionPolicyOf(domain, isAdoption(domain, state)) },
    freesName: actions.some(isRelease),
    isExpectedChange: true,
    ...(requeueAfter === undefined ? {} : { requeueAfter }),
  };
}

/** Only the owner row changes: after it nothing is deleted any more. */
function observe(domain: SipDomain, state: DomainRows): Draft {
  const { owner, domains } = state;
  return {
    actions: owner === undefined || owner.deletionPolicy === "Retain" ? [] : [saveOwner(domain, state)],
    ready: domains.includes(domain.domain)
      ? { ...ready(`${domain.domain} is in the database; nothing is written`), reason: reasons.observed }
      : notReady(reasons.nothingToObserve, `the database has no domain ${domain.domain}; nothing is written`),
    status: { deletionPolicy: "Retain" },
    requeueAfter: observeAgainAfter,
    needsFinalizer: false,
  };
}

function serve(domain: SipDomain, state: DomainRows): Draft {
  const deletionPolicy = deletionPolicyOf(domain, isAdoption(domain, state));
  const actions = planRows(domain, state);
  return {
    actions,
    freesName: actions.some(isRelease),
    ready: ready(
      domain.isEnabled
        ? `${domain.domain} is served`
        : `${domain.domain} is disabled: it exists and serves nobody`,
    ),
    status: { deletionPolicy },
    needsFinalizer: deletionPolicy === "Delete",
  };
}

/**
 * The decision for a paused domain: a permission that the SipCluster withdrew takes effect, because a user who may pause the domain could
 * evade it. Undefined: the SipCluster allows the domain.
 */
export function decideRevocation(domain: SipDomain, state: DomainState): Decision<DomainAction> | undefined {
  if (state.kind !== "ready") return undefined;
  const unchanged = { ...domain, aliases: state.owner?.fields.aliases ?? domain.aliases };
  const ready = namesNotAllowed({ domain: unchanged, state });
  if (ready === undefined) return undefined;
  return withReadyOnly(
    refusal(unchanged, state, { ready, actions: switchOff({ domain: unchanged, state }) }),
  );
}

/** During a pause only the condition Ready changes. */
const withReadyOnly = ({ ready, ...draft }: Draft): Decision<DomainAction> => ({
  ...draft,
  conditions: [ready],
});

/** The decision for an object that is gone or being deleted. Only its owner row is known. */
export function decideRemoval({ deletionPolicy, fields }: Owner<DomainFields>): readonly DomainAction[] {
  const names = deletionPolicy === "Delete" ? namesOf(fields) : [];
  return [...names.map((name) => ({ do: "deleteDomain", name }) as const), { do: "removeOwner" }];
}

const isRelease = ({ do: what }: DomainAction): boolean => what === "release";

function clusterNotReady({ cluster, reference }: SipDomain, kind: "absent" | "unready"): NewCondition {
  const name = nameFor(cluster, reference.namespace);
  return kind === "absent"
    ? notReady(reasons.clusterNotFound, `there is no SipCluster ${name}`)
    : notReady(
        reasons.clusterNotReady,
        `SipCluster ${name} has no database of its own yet; its conditions say why`,
      );
}
