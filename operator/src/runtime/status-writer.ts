/**
 * Writes a status only when it changed, because every write wakes every watcher. Fields of another writer are never in it: with server-side
 * apply this would move their ownership.
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

/** For this time our own last write takes precedence over the cache of the watch. */
const rememberMs = 10_000;

export class StatusWriter {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #onChange: (object: KubernetesObject, condition: NewCondition) => void;
  readonly #foreign: ForeignFields;
  /** In the order of writing. */
  readonly #written = new Map<string, Written>();
  #isForgetting = false;

  /** `onChange` is called for every condition whose status or reason changed. An Event is recorded, too. */
  constructor(
    source: Source,
    clock: Clock,
    onChange: (object: KubernetesObject, condition: NewCondition) => void,
    foreign: ForeignFields = {},
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#foreign = foreign;
  }

  /**
   * Sets the conditions and the fields of `status` in the object's status. Our other fields stay; a field with the value undefined is removed.
   * Returns whether the status was written.
   */
  async write(
    object: KubernetesObject,
    added: readonly NewCondition[],
    status: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const { namespace, name, generation } = object.metadata;
    const before = this.#before(object);
    const now = this.#clock.now();
    const conditions = added.reduce<readonly Condition[]>(
      (all, condition) => setCondition(all, condition, generation, now),
      before.conditions ?? [],
    );
    const after = defined({ ...before, observedGeneration: generation, ...status, conditions });
    if (isDeepStrictEqual(before, after)) return false;
    await this.#source.writeStatus(object.kind, keyOf(namespace, name), after, "status");
    this.#remember(object, after, now);
    for (const condition of added) this.#report(object, condition, before);
    return true;
  }

  #report(object: KubernetesObject, condition: NewCondition, { conditions }: CommonStatus): void {
    const known = conditions?.find(({ type }) => type === condition.type);
    if (known?.status === condition.status && known.reason === condition.reason) return;
    this.#onChange(object, condition);
    const event = buildConditionEvent(object.kind, condition, known);
    if (event !== undefined) this.#source.event(object, event);
  }

  /** Our part of the status: from our last write a moment ago, or from the source. */
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
    this.#forget(at);
  }

  /** Forgets old writes, now and until none is left: after many writes at once there may be no other for a long time. */
  #forget(now: number): void {
    for (const [old, { at }] of this.#written) {
      if (at > now - rememberMs) break;
      this.#written.delete(old);
    }
    if (this.#isForgetting || this.#written.size === 0) return;
    this.#isForgetting = true;
    this.#clock.after(rememberMs, () => {
      this.#isForgetting = false;
      this.#forget(this.#clock.now());
    });
  }
}

const defined = (status: Readonly<Record<string, unknown>>): CommonStatus =>
  Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
