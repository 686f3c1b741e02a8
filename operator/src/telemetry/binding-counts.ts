/** The last count of bindings in each SipCluster's database, for a metric and for the status of the SipCluster. */
import type { Clock, Ms } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { ProbedGauge } from "./probed-gauge.ts";

/** Older counts are not shown: the database cannot be read, or the SipCluster is gone. */
const validFor: Ms = 60_000;

export class BindingCounts {
  readonly #clock: Clock;
  readonly #gauge: Pick<ProbedGauge, "add">;
  readonly #counts = new Map<ObjectKey, { readonly bindings: number; readonly at: number }>();

  /** `gauge` has the label `cluster`: the SipCluster's namespace/name. */
  constructor(clock: Clock, gauge: Pick<ProbedGauge, "add">) {
    this.#clock = clock;
    this.#gauge = gauge;
  }

  set(cluster: ObjectKey, bindings: number): void {
    this.#counts.set(cluster, { bindings, at: this.#clock.now() });
    this.#gauge.add(cluster, () => this.get(cluster));
  }

  /** Undefined: not counted within the last minute. */
  get(cluster: ObjectKey): number | undefined {
    const found = this.#counts.get(cluster);
    if (found === undefined || this.#clock.now() - found.at < validFor) return found?.bindings;
    this.#counts.delete(cluster);
    return undefined;
  }
}
