/**
 * The checks that a SipDomain has to pass before its rows are written. Pure.
 *
 * After a failed check only the removals in the spec are carried out (ADR 33): an alias that the spec no longer lists is removed, and a
 * disabled domain is switched off.
 */
import { isDeepStrictEqual } from "node:util";
import { claimConflict, olderObjectConflict, reasons, determineOwnership } from "../ownership.ts";
import type { Check } from "../runtime/check.ts";
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import { nameFor, type DomainRows } from "./current-state.ts";
import type { DomainAction } from "./domain-action.ts";
import { foreignRowConflict } from "./foreign-rows.ts";
import type { SipDomain } from "./resource.ts";
import { disableDomain, removeUnlistedAliases, specRemovals } from "./spec-removals.ts";

export interface DomainCheckInput {
  readonly domain: SipDomain;
  readonly state: DomainRows;
}

/** No watch reports that a row of another tool, or a claim, is gone. */
const retryAfter = (): Ms => 10_000;

/** In this order. A SipDomain whose SipCluster has no database is refused before: it has no rows to check. */
export const domainChecks: readonly Check<DomainCheckInput, DomainAction>[] = [
  { name: "the owner of the rows is known", failure: ownerUnproven, actions: () => [], retryAfter },
  { name: "immutable fields are unchanged", failure: immutableFieldChanged, actions: removalsUnlessObserved },
  { name: "the SipCluster allows the names", failure: namesNotAllowed, actions: switchOff },
  { name: "no other object has a name", failure: nameClaimed, actions: removalsUnlessObserved, retryAfter },
  {
    name: "no older object requests a name",
    failure: nameLeftToOlder,
    actions: removalsUnlessObserved,
    retryAfter,
  },
  {
    name: "rows of other tools can be taken over",
    failure: foreignRowConflict,
    actions: removalsUnlessObserved,
    retryAfter,
  },
];

/** The rows may belong to an earlier object of this name that still exists. */
export function ownerUnproven({ domain, state }: DomainCheckInput): NewCondition | undefined {
  const ownership = determineOwnership(state.owner, domain.uid, state.present);
  return typeof ownership === "object" ? ownership : undefined;
}

function immutableFieldChanged({ domain, state: { owner } }: DomainCheckInput): NewCondition | undefined {
  return owner?.uid === domain.uid && !isDeepStrictEqual(owner.fields.spec, domain.immutable)
    ? notReady(
        reasons.immutableField,
        "clusterRef, domain and realm cannot change; remove this object and make a new one",
      )
    : undefined;
}

export function namesNotAllowed({ domain, state }: DomainCheckInput): NewCondition | undefined {
  if (state.isAllowed) return undefined;
  const cluster = nameFor(domain.cluster, domain.reference.namespace);
  return notReady(
    reasons.notAllowed,
    `SipCluster ${cluster} does not serve ${[domain.domain, ...domain.aliases].join(", ")} for this namespace; see its allowedDomains`,
  );
}

function nameClaimed({ domain, state }: DomainCheckInput): NewCondition | undefined {
  return claimConflict(state.claims, state.installationId, domain.reference);
}

/** An object that only observes needs no name. */
function nameLeftToOlder({ domain, state }: DomainCheckInput): NewCondition | undefined {
  return domain.adoptionPolicy === "Observe"
    ? undefined
    : olderObjectConflict(state.olderObjects, domain.reference);
}

function removalsUnlessObserved({ domain, state }: DomainCheckInput): readonly DomainAction[] {
  return domain.adoptionPolicy === "Observe" ? [] : specRemovals(domain, state);
}

/** The rows stay, and the domain serves nobody. */
export function switchOff({ domain, state }: DomainCheckInput): readonly DomainAction[] {
  const removed = domain.adoptionPolicy === "Observe" ? [] : removeUnlistedAliases(domain, state);
  return [...removed, ...disableDomain(domain, state)];
}
