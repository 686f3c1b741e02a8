/**
 * The condition of a SipUser or SipDomain after a failed reconcile (ADR 34). During an outage of the database or the API server, the last
 * condition stays, and the SipCluster shows the cause. An object without a condition gets one at once. After ten minutes each object gets
 * the reason `Stale`, a few objects each second.
 */
import { ApiUnreachable } from "../adapters/kube/api-error.ts";
import { failureOf } from "../adapters/mysql/failure.ts";
import { outlinedFailureCondition } from "../adapters/mysql/failure-condition.ts";
import { reasons } from "../ownership.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { findReadyCondition } from "../runtime/is-ready-object.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";

/** The last condition is valid for this time. */
const validFor: Ms = 600_000;
/** How many statuses become `Stale` each second, in all. */
const perSecond = 10;

export class OutageConditions {
  readonly #clock: Clock;
  /** The start of the outage of each SipCluster. */
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

  /** Undefined: the status does not change. `cluster`: the SipCluster of the object, if it is known. */
  failed(object: KubernetesObject, cluster: ObjectKey | undefined, error: unknown): NewCondition | undefined {
    if (error instanceof ApiUnreachable) return undefined;
    if (!isOutage(error)) return outlinedFailureCondition(error);
    const now = this.#clock.now();
    const since = this.#since.get(cluster) ?? now;
    this.#since.set(cluster, since);
    const before = findReadyCondition(object);
    if (before === undefined) return outlinedFailureCondition(error);
    if (now - since < validFor || before.reason === reasons.stale || !this.#mayWrite(now)) return undefined;
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

/** A conflict with a concurrently inserted row concerns only this object; all other database failures are outages. */
function isOutage(error: unknown): boolean {
  const failure = failureOf(error);
  return failure !== undefined && failure.reason !== reasons.conflict;
}

const stale: NewCondition = {
  type: "Ready",
  status: "Unknown",
  reason: reasons.stale,
  message:
    "its SipCluster's database could not be used for ten minutes; the last condition may be outdated, and the SipCluster's conditions show the cause",
};
