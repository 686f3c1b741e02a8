/**
 * Writes a status last, and only when it says something new (a write that changes nothing would wake every watcher). What another writer
 * says about the same object is never in it: with server-side apply that would take the field away from that writer.
 */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "./clock.ts";
import { setCondition, type Condition, type NewCondition } from "./condition.ts";
import { buildConditionEvent } from "./condition-event.ts";
import { keyOf, type CommonStatus, type KubernetesObject } from "./object.ts";
import type { Source } from "./source.ts";
import { ownValue } from "./own-value.ts";

/** Fields of the status that other writers own, by kind. */
export type ForeignFields = Readonly<Record<string, readonly string[]>>;

interface Written {
  readonly uid: string;
  readonly status: CommonStatus;
  readonly at: number;
}

/** For so long what we wrote counts for more than what a watch has brought back. */
const rememberMs = 10_000;

export class StatusWriter {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #onFlip: (object: KubernetesObject, verdict: NewCondition) => void;
  readonly #foreign: ForeignFields;
  /** In the order of writing. */
  readonly #written = new Map<string, Written>();

  /** `onFlip` hears of every verdict whose status or reason is another one than before; people hear of it by an Event. */
  constructor(
    source: Source,
    clock: Clock,
    onFlip: (object: KubernetesObject, verdict: NewCondition) => void,
    foreign: ForeignFields = {},
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#onFlip = onFlip;
    this.#foreign = foreign;
  }

  /**
   * Puts the verdicts and the fields of `status` into the object's status; our other fields stay, one that is given as undefined goes.
   * Returns whether anything was written.
   */
  async write(
    object: KubernetesObject,
    verdicts: NewCondition | readonly NewCondition[],
    status: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const { namespace, name, generation } = object.metadata;
    const before = this.#before(object);
    const now = this.#clock.now();
    const stated = "type" in verdicts ? [verdicts] : verdicts;
    const conditions = stated.reduce<readonly Condition[]>(
      (all, verdict) => setCondition(all, verdict, generation, now),
      before.conditions ?? [],
    );
    const after = defined({ ...before, observedGeneration: generation, ...status, conditions });
    if (isDeepStrictEqual(before, after)) return false;
    await this.#source.writeStatus(object.kind, keyOf(namespace, name), after, "status");
    this.#remember(object, after, now);
    for (const verdict of stated) this.#tell(object, verdict, before);
    return true;
  }

  #tell(object: KubernetesObject, verdict: NewCondition, { conditions }: CommonStatus): void {
    const known = conditions?.find(({ type }) => type === verdict.type);
    if (known?.status === verdict.status && known.reason === verdict.reason) return;
    this.#onFlip(object, verdict);
    const event = buildConditionEvent(object.kind, verdict, known);
    if (event !== undefined) this.#source.event(object, event);
  }

  /** Our part of the status as it is: what we wrote a moment ago, or else what the source has. */
  #before({ kind, metadata: { namespace, name, uid } }: KubernetesObject): CommonStatus {
    const key = keyOf(namespace, name);
    const written = this.#written.get(`${kind} ${key}`);
    if (written?.uid === uid && written.at > this.#clock.now() - rememberMs) return written.status;
    const status = (this.#source.get(kind, key)?.status ?? {}) as Readonly<Record<string, unknown>>;
    const foreign = ownValue(this.#foreign, kind) ?? [];
    return Object.fromEntries(Object.entries(status).filter(([field]) => !foreign.includes(field)));
  }

  #remember(
    { kind, metadata: { namespace, name, uid } }: KubernetesObject,
    status: object,
    at: number,
  ): void {
    const id = `${kind} ${keyOf(namespace, name)}`;
    this.#written.delete(id);
    this.#written.set(id, { uid, status, at });
    for (const [old, written] of this.#written) {
      if (written.at > at - rememberMs) return;
      this.#written.delete(old);
    }
  }
}

const defined = (status: Readonly<Record<string, unknown>>): CommonStatus =>
  Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
