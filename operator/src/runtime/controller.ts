/**
 * What the controller of a kind is to the runtime, and the loop that runs one.
 *
 *   there             reconcile; all of them again, a few at a time, within the time of a resync
 *   being deleted     finalize, until it is done, then let the object go
 *   gone              rows that are left are the sweep's, which needs proof of absence and stops before it removes many
 */
import type { Clock, Ms } from "./clock.ts";
import { KeyedQueue, type QueueObserver } from "./keyed-queue.ts";
import { isReadyObject } from "./is-ready-object.ts";
import { keyOfObject, type KubernetesObject, type ObjectKey } from "./object.ts";
import { planSweep, type SweepPlan } from "./plan-sweep.ts";
import { finalizer } from "./reconcile-object.ts";
import { priorityOf, type Cause, type KindRules } from "./priority-of.ts";
import { ReconcileLoop, type Outcome, type ReconcileObserver } from "./reconcile-loop.ts";
import type { Change, Source } from "./source.ts";

export interface Controller extends KindRules {
  readonly kind: string;
  reconcile(object: KubernetesObject): Promise<Outcome>;
  /**
   * Removes what the object made, which is being deleted. `waited`: since this was first tried. Absent: `reconcile` gets such objects too
   * and lets them go itself.
   */
  finalize?(object: KubernetesObject, waited: Ms): Promise<Finalized>;
  /** Removes what the object made. Knows only the key: the object is gone. */
  remove(key: ObjectKey): Promise<void>;
  /** The objects that own rows. */
  owned(): Promise<Owned>;
  /** Objects of this kind that a change of another object or Secret concerns. */
  dependentsOf(change: Change): readonly ObjectKey[];
}

export interface Owned {
  readonly keys: readonly ObjectKey[];
  /** False: some database could not be asked, and what is not among the keys may own rows there. */
  readonly isComplete: boolean;
  /** Why not, where it should have answered: the sweep goes on without it, and is tried again. */
  readonly failures: readonly unknown[];
}

/** Done: the object may go. Else it is tried again after that time. */
export type Finalized = { readonly isDone: true } | { readonly isDone: false; readonly requeueAfter: Ms };

/** An object that is gone from the source while its rows may still be there. */
export interface DeletedObject {
  readonly key: ObjectKey;
  /** The guard against mass removal keeps its rows. */
  readonly isRetained: boolean;
}

export interface ControllerObserver {
  readonly queue: QueueObserver;
  readonly reconcile: ReconcileObserver;
  removed(): void;
  /** Rows were not as they had been left, and are again. */
  repaired?(): void;
  planned(sweep: SweepPlan): void;
}

export interface ControllerOptions {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** A monotonic clock. */
  readonly seconds: () => number;
  readonly workers: number;
  /** Within this time every object is looked at again, and what is left of gone ones is looked for. */
  readonly resyncWithin?: Ms;
}

/** Keys of the loop's own work in the queue; no object is called so. */
const sweepKey = "/sweep";
const wakeKey = "/wake";

const backOff = { first: 1_000, longest: 300_000 };
const resyncWithin = 300_000;
/** A resync is cut into so many turns. */
const turns = 60;
/** Deletions come in crowds. */
const gatherMs = 500;

export class ControllerLoop {
  readonly #controller: Controller;
  readonly #source: Source;
  readonly #observer: ControllerObserver;
  readonly #options: ControllerOptions;
  readonly #queue: KeyedQueue<ObjectKey>;
  readonly #loop: ReconcileLoop<ObjectKey>;
  /** Keys that the last sweep found absent. */
  readonly #toBeRemoved = new Set<ObjectKey>();
  /** Absent keys that a sweep kept, because they were many at once. */
  readonly #retained = new Set<ObjectKey>();
  /** Keys of objects that are gone, until it is known that they have no rows. */
  readonly #deleted = new Set<ObjectKey>();
  /** Since when objects are being finalized. */
  readonly #finalizing = new Map<ObjectKey, { readonly uid: string; readonly since: number }>();
  /** Somebody deleted them, and they were let go: that many are gone at once is intended. */
  readonly #finalized = new Set<ObjectKey>();
  #sweepsRequested = 0;
  #sweepsDone = 0;
  #turn = 0;
  #cancelResync: () => void = () => undefined;

  constructor(
    controller: Controller,
    source: Source,
    observer: ControllerObserver,
    options: ControllerOptions,
  ) {
    this.#controller = controller;
    this.#source = source;
    this.#observer = observer;
    this.#options = options;
    this.#queue = new KeyedQueue(options.clock, backOff, options.random, observer.queue);
    this.#loop = new ReconcileLoop<ObjectKey>(this.#queue, (key) => this.#work(key), {
      workers: options.workers,
      seconds: options.seconds,
      observer: observer.reconcile,
    });
  }

  get kind(): string {
    return this.#controller.kind;
  }

  /** Queues every object, what has changed since its status was written before the others, and a sweep. */
  resync(): void {
    this.#enqueue(this.#keys(), "resync");
    this.#queue.add(sweepKey, "revocation");
  }

  start(): void {
    this.resync();
    this.#loop.start();
    this.#resyncLater();
  }

  stop(): Promise<void> {
    this.#cancelResync();
    return this.#loop.stop();
  }

  /** Rows without an object are looked for, and removed on proof. */
  sweep(): void {
    this.#sweepsRequested += 1;
    this.#queue.add(sweepKey, "revocation");
  }

  /** Whether every sweep that was asked for has ended: `leaving` is complete. */
  get isSwept(): boolean {
    return this.#sweepsRequested > 0 && this.#sweepsDone === this.#sweepsRequested;
  }

  /** What is gone and not removed. */
  leaving(): readonly DeletedObject[] {
    return [...this.#deleted].map((key) => ({ key, isRetained: this.#retained.has(key) }));
  }

  changed(change: Change): void {
    const isOwn = change.kind === this.#controller.kind;
    if (isOwn && change.what === "object") {
      if (this.#source.get(change.kind, change.key) === undefined) this.#deleted.add(change.key);
      this.#enqueue([change.key], "object");
    }
    this.#enqueue(this.#controller.dependentsOf(change), change.kind === "Secret" ? "secret" : "dependency");
  }

  /** A database that was away is back: of these objects (absent: of all) what failed is tried at once, and the rest is looked at again. */
  recovered(concerned?: readonly ObjectKey[]): void {
    this.#enqueue(concerned ?? this.#keys(), "recovery");
    this.#queue.add(sweepKey, "revocation");
  }

  #enqueue(keys: readonly ObjectKey[], cause: Cause): void {
    for (const key of keys) {
      const object = this.#source.get(this.#controller.kind, key);
      const priority = priorityOf(object, cause, this.#controller);
      if (priority === "resync") this.#queue.addBehind(key);
      else this.#queue.add(key, priority);
    }
  }

  async #work(key: ObjectKey): Promise<Outcome> {
    if (key === sweepKey) return this.#sweep();
    if (key === wakeKey) return this.#wakeUnready();
    const object = this.#source.get(this.#controller.kind, key);
    if (object === undefined) return this.#gone(key);
    for (const keys of [this.#toBeRemoved, this.#retained, this.#deleted]) keys.delete(key);
    if (object.metadata.deletionTimestamp === undefined) this.#finalized.delete(key);
    if (object.metadata.deletionTimestamp !== undefined && this.#controller.finalize !== undefined)
      return this.#finalize(key, object);
    const outcome = await this.#controller.reconcile(object);
    if (outcome.isRepair === true) this.#observer.repaired?.();
    if (outcome.freesName === true) this.#queue.addAfter(wakeKey, gatherMs, "dependency");
    return outcome;
  }

  async #finalize(key: ObjectKey, object: KubernetesObject): Promise<Outcome> {
    const { uid, finalizers = [] } = object.metadata;
    const now = this.#options.clock.now();
    const begun = this.#finalizing.get(key);
    const since = begun?.uid === uid ? begun.since : now;
    this.#finalizing.set(key, { uid, since });
    const finalized = await this.#controller.finalize?.(object, now - since);
    if (finalized?.isDone === false) return { requeueAfter: finalized.requeueAfter };
    if (finalizers.includes(finalizer)) {
      this.#finalized.add(key);
      await this.#source.setFinalizer(this.#controller.kind, key, false);
      this.#observer.removed();
      this.#queue.addAfter(wakeKey, gatherMs, "dependency");
    }
    this.#finalizing.delete(key);
    return {};
  }

  async #gone(key: ObjectKey): Promise<Outcome> {
    this.#finalizing.delete(key);
    if (!this.#toBeRemoved.has(key)) {
      this.#queue.addAfter(sweepKey, gatherMs, "revocation");
      return {};
    }
    await this.#controller.remove(key);
    for (const keys of [this.#toBeRemoved, this.#finalized, this.#deleted]) keys.delete(key);
    this.#observer.removed();
    this.#queue.addAfter(wakeKey, gatherMs, "dependency");
    return {};
  }

  /** What is gone may have been in the way of others: a name that was taken is free now. */
  #wakeUnready(): Outcome {
    for (const object of this.#source.list(this.#controller.kind))
      if (!isReadyObject(object)) this.#queue.add(keyOfObject(object), "dependency");
    return {};
  }

  /** What the source has at hand is there; only what it lacks is asked for. */
  async #sweep(): Promise<Outcome> {
    const asked = this.#sweepsRequested;
    const deleted = [...this.#finalized];
    const leaving = [...this.#deleted];
    const { keys, isComplete, failures } = await this.#controller.owned();
    const owned = new Set(keys);
    if (isComplete) for (const key of deleted) if (!owned.has(key)) this.#finalized.delete(key);
    const absent: ObjectKey[] = [];
    for (const key of owned) {
      if (this.#source.get(this.#controller.kind, key) !== undefined) continue;
      const { is } = await this.#source.presence(this.#controller.kind, key);
      if (is === "absent") absent.push(key);
    }
    const intended = absent.filter((key) => this.#finalized.has(key));
    const plan = planSweep(
      owned.size,
      absent.filter((key) => !this.#finalized.has(key)),
      this.#retained,
    );
    this.#observer.planned(plan);
    // Whose absence cannot be proven now, or whose rows could not be listed, was kept for a reason that has not ended
    for (const key of this.#retained) if (isComplete && !owned.has(key)) this.#retained.delete(key);
    for (const key of plan.retained) this.#retained.add(key);
    if (isComplete) for (const key of leaving) this.#deleted.delete(key);
    for (const key of absent) this.#deleted.add(key);
    this.#toBeRemoved.clear();
    for (const key of [...intended, ...plan.remove]) {
      this.#toBeRemoved.add(key);
      this.#queue.add(key, "revocation");
    }
    if (failures.length > 0) throw failures[0];
    this.#sweepsDone = asked;
    return {};
  }

  #keys(): readonly ObjectKey[] {
    return this.#source.list(this.#controller.kind).map(keyOfObject);
  }

  /** A slice of all objects at each turn, so that a resync is no crowd; the sweep at the first turn of a round. */
  #resyncLater(): void {
    const { clock, random, resyncWithin: within = resyncWithin } = this.#options;
    this.#cancelResync = clock.after((within / turns) * (0.8 + 0.4 * random()), () => {
      const keys = this.#keys();
      const size = Math.ceil(keys.length / turns);
      for (const key of keys.slice(this.#turn * size, (this.#turn + 1) * size)) this.#queue.addBehind(key);
      this.#turn = (this.#turn + 1) % turns;
      if (this.#turn === 0) this.#queue.add(sweepKey, "revocation");
      this.#resyncLater();
    });
  }
}
