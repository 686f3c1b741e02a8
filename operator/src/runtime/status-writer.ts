/** Writes a status last, and only when it says something new (a write that changes nothing would wake every watcher). */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "./clock.ts";
import { setCondition, type Condition, type Verdict } from "./condition.ts";
import { keyOf, type CommonStatus, type KubernetesObject } from "./object.ts";
import type { Source } from "./source.ts";

export class StatusWriter {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #onFlip: (object: KubernetesObject, verdict: Verdict) => void;

  /** `onFlip` hears of every verdict whose status or reason is another one than before. */
  constructor(source: Source, clock: Clock, onFlip: (object: KubernetesObject, verdict: Verdict) => void) {
    this.#source = source;
    this.#clock = clock;
    this.#onFlip = onFlip;
  }

  /** Puts the verdicts and the fields of `status` into the object's status; other fields stay. Returns whether anything was written. */
  async write(
    object: KubernetesObject,
    verdicts: Verdict | readonly Verdict[],
    status: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const { namespace, name, generation } = object.metadata;
    const key = keyOf(namespace, name);
    const before = (this.#source.get(object.kind, key)?.status ?? {}) as CommonStatus;
    const now = this.#clock.now();
    const stated = "type" in verdicts ? [verdicts] : verdicts;
    const conditions = stated.reduce<readonly Condition[]>(
      (all, verdict) => setCondition(all, verdict, generation, now),
      before.conditions ?? [],
    );
    const after = { ...before, ...status, observedGeneration: generation, conditions };
    if (isDeepStrictEqual(before, after)) return false;
    await this.#source.writeStatus(object.kind, key, after, "status");
    for (const verdict of stated) {
      const known = before.conditions?.find((condition) => condition.type === verdict.type);
      if (known?.status !== verdict.status || known.reason !== verdict.reason) this.#onFlip(object, verdict);
    }
    return true;
  }
}
