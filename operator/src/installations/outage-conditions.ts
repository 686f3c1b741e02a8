/**
 * What a SipUser or SipDomain says when its reconcile failed (ADR 34). While its database, or the API server, is away that is nothing: the
 * last verdict stays, and the SipCluster says why. Only what has no verdict yet says it at once, and after ten minutes each says that its
 * verdict is an old one, a few each second.
 */
import { ApiUnreachable } from "../adapters/kube/api-error.ts";
import { failureOf } from "../adapters/mysql/failure.ts";
import { outlinedFailureCondition } from "../adapters/mysql/failure-condition.ts";
import { reasons } from "../ownership.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { findReadyCondition } from "../runtime/is-ready-object.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";

/** So long the last verdict counts. */
const keepsFor: Ms = 600_000;
/** Statuses that say so, in all. */
const perSecond = 10;

export class OutageConditions {
  readonly #clock: Clock;
  /** Since when nothing of a SipCluster could be reconciled. */
  readonly #since = new Map<ObjectKey | undefined, number>();
  #second = 0;
  #written = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An object of this SipCluster was reconciled. */
  ended(cluster: ObjectKey | undefined): void {
    this.#since.delete(cluster);
  }

  /** Undefined: the status stays as it is. `cluster`: the SipCluster of the object, as far as that can be told. */
  failed(object: KubernetesObject, cluster: ObjectKey | undefined, error: unknown): NewCondition | undefined {
    if (error instanceof ApiUnreachable) return undefined;
    if (!isOutage(error)) return outlinedFailureCondition(error);
    const now = this.#clock.now();
    const since = this.#since.get(cluster) ?? now;
    this.#since.set(cluster, since);
    const before = findReadyCondition(object);
    if (before === undefined) return outlinedFailureCondition(error);
    if (now - since < keepsFor || before.reason === reasons.stale || !this.#mayWrite(now)) return undefined;
    return stale;
  }

  #mayWrite(now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) this.#written = 0;
    this.#second = second;
    this.#written += 1;
    return this.#written <= perSecond;
  }
}

/** A row that somebody else made at this moment is the one failure of a database that is about this object alone. */
function isOutage(error: unknown): boolean {
  const failure = failureOf(error);
  return failure !== undefined && failure.reason !== reasons.conflict;
}

const stale: NewCondition = {
  type: "Ready",
  status: "Unknown",
  reason: reasons.stale,
  message:
    "its SipCluster's database could not be used for ten minutes; what was said before may be so no longer, and the SipCluster's conditions say why",
};
