/** Reconciles SipDomains: parse, read the current state, decide, apply, write the status. */
import type { Installations } from "../installations.ts";
import type { OutageConditions } from "../installations/outage-conditions.ts";
import { OwnedRows } from "../installations/owned-rows.ts";
import type { Ms } from "../runtime/clock.ts";
import type { Controller, Finalized, Owned } from "../runtime/controller.ts";
import type { Decision } from "../runtime/decision.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import { NameIndex } from "../runtime/name-index.ts";
import { keyOfObject, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import { reconcileObject, type ReconcileDependencies } from "../runtime/reconcile-object.ts";
import type { Outcome } from "../runtime/reconcile-loop.ts";
import type { Change, Source } from "../runtime/source.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { apply } from "./apply.ts";
import { decide, decideRemoval, decideRevocation } from "./decide.ts";
import type { DomainAction } from "./domain-action.ts";
import { indexNamesOf } from "./older-domains.ts";
import { parseSipDomain, type DomainFields, type SipDomain } from "./resource.ts";
import { readDomainState } from "./read-current-state.ts";
import type { DomainState } from "./current-state.ts";

export interface SipDomainDependencies {
  readonly installations: Installations;
  readonly source: Source;
  readonly status: StatusWriter;
  readonly outages: OutageConditions;
}

export class SipDomainController implements Controller {
  readonly kind = "SipDomain";
  readonly #installations: Installations;
  readonly #reconcileDeps: Omit<ReconcileDependencies, "conditionOf">;
  readonly #outages: OutageConditions;
  readonly #rows: OwnedRows<DomainFields>;
  readonly #index: NameIndex;

  constructor(deps: SipDomainDependencies) {
    this.#installations = deps.installations;
    this.#reconcileDeps = { source: deps.source, status: deps.status };
    this.#outages = deps.outages;
    this.#index = new NameIndex(deps.source, this.kind, indexNamesOf);
    this.#rows = new OwnedRows(this.kind, deps.installations, deps.source, (owner, installation) =>
      apply(decideRemoval(owner), owner.reference, installation),
    );
  }

  async reconcile(object: KubernetesObject): Promise<Outcome> {
    const domain = parseSipDomain(object);
    const outcome = await reconcileObject(
      object,
      { ...this.#reconcileDeps, conditionOf: (error) => this.#outages.failed(object, domain.cluster, error) },
      () => this.#plan(domain, decide),
      () => this.#plan(domain, decideRevocation),
    );
    this.#outages.ended(domain.cluster);
    return outcome;
  }

  endsService(object: KubernetesObject): boolean {
    return !parseSipDomain(object).isEnabled;
  }

  async #plan<Decided extends Decision<DomainAction> | undefined>(
    domain: SipDomain,
    decideOn: (domain: SipDomain, state: DomainState) => Decided,
  ) {
    const { source } = this.#reconcileDeps;
    const [state, installation] = await readDomainState(domain, this.#installations, source, this.#index);
    const decided = decideOn(domain, state);
    return decided && { ...decided, apply: () => apply(decided.actions, domain.reference, installation) };
  }

  finalize(object: KubernetesObject, waited: Ms): Promise<Finalized> {
    return this.#rows.finalize(object, parseSipDomain(object).cluster, waited);
  }

  remove(key: ObjectKey): Promise<void> {
    return this.#rows.remove(key);
  }

  owned(): Promise<Owned> {
    return this.#rows.keys();
  }

  /**
   * The SipDomains of a changed SipCluster. The status of a SipCluster changes all the time, so a change of the status alone concerns only
   * SipDomains that are not Ready.
   */
  dependentsOf(change: Change): readonly ObjectKey[] {
    this.#index.update(change);
    const { kind, key, what } = change;
    if (kind !== "SipCluster") return [];
    return this.#reconcileDeps.source
      .list(this.kind)
      .filter(
        (object) => parseSipDomain(object).cluster === key && (what === "object" || !isReadyObject(object)),
      )
      .map(keyOfObject);
  }
}
