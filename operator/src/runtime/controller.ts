/**
 * The interface of a kind's controller, and the loop that runs it. By the state of an object the loop does the following:
 *
 *   exists            reconcile; every object is reconciled again within the time of a resync
 *   being deleted     finalize until done, then remove the finalizer
 *   gone              the sweep removes its remaining rows; it needs proof of absence, and retains rows when many objects are gone at once
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
   * Removes the rows of an object that is being deleted. `waited`: the time since the first try. Absent: `reconcile` gets such objects too, and
   * removes their finalizer itself.
   */
  finalize?(object: KubernetesObject, waited: Ms): Promise<Finalized>;
  /** Removes the rows of an object that is gone. Only its key is known. */
  remove(key: ObjectKey): Promise<void>;
  /** The objects that own rows. */
  owned(): Promise<Owned>;
  /** Objects of this kind that depend on the changed object or Secret. */
  dependentsOf(change: Change): readonly ObjectKey[];
}

export interface Owned {
  readonly keys: readonly ObjectKey[];
  /** False: a database could not be read. Objects that are not among the keys may own rows there. */
  readonly isComplete: boolean;
  /** The errors of databases that should have answered. The sweep continues without them, and runs again. */
  readonly failures: readonly unknown[];
}

/** Done: the finalizer is removed. Otherwise `finalize` is called again after that time. */
export type Finalized = { readonly isDone: true } | { readonly isDone: false; readonly requeueAfter: Ms };

/** An object that is gone from the source, while its rows may still exist. */
export interface DeletedObject {
  readonly key: ObjectKey;
  /** The protection against mass removal retains its rows. */
  readonly isRetained: boolean;
}

export interface ControllerObserver {
  readonly queue: QueueObserver;
  readonly reconcile: ReconcileObserver;
  removed(): void;
  /** Rows that another program had changed are correct again. */
  repaired?(): void;
  planned(sweep: SweepPlan): void;
}

export interface ControllerDependencies {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** A monotonic clock. */
  readonly seconds: () => number;
  readonly workers: number;
  /** Within this time every object is reconciled again, and rows of gone objects are searched. */
  readonly resyncWithin?: Ms;
}

/** Keys of the loop's own work in the queue. No object has such a key. */
const sweepKey = "/sweep";
const requeueUnreadyKey = "/wake";

const backOff = { first: 1_000, longest: 300_000 };
const resyncWithin = 300_000;
/** A resync is divided into this number of slices. */
const resyncSlices = 60;
/** Many objects are often deleted at once: one sweep for all of them. */
const gatherMs = 500;

export class ControllerLoop {
  readonly #controller: Controller;
  readonly #source: Source;
  readonly #observer: ControllerObserver;
  readonly #deps: ControllerDependencies;
  readonly #queue: KeyedQueue<ObjectKey>;
  readonly #loop: ReconcileLoop<ObjectKey>;
  /** Keys that the last sweep proved absent and did not retain. */
  readonly #toBeRemoved = new Set<ObjectKey>();
  /** Absent keys whose rows a sweep retained, because many were absent at once. */
  readonly #retained = new Set<ObjectKey>();
  /** Keys of gone objects, until a sweep shows that they have no rows. */
  readonly #deleted = new Set<ObjectKey>();
  /** The start of each finalization. */
  readonly #finalizing = new Map<ObjectKey, { readonly uid: string; readonly since: number }>();
  /** Objects that were deleted and finalized here. They do not count for the protection against mass removal. */
  readonly #finalized = new Set<ObjectKey>();
  #sweepsRequested = 0;
  #sweepsDone = 0;
  #slice = 0;
  #cancelResync: () => void = () => undefined;

  constructor(
    controller: Controller,
    source: Source,
    observer: ControllerObserver,
    deps: ControllerDependencies,
  ) {
    this.#controller = controller;
    this.#source = source;
    this.#observer = observer;
    this.#deps = deps;
    this.#queue = new KeyedQueue(deps.clock, backOff, deps.random, observer.queue);
    this.#loop = new ReconcileLoop<ObjectKey>(this.#queue, (key) => this.#work(key), {
      workers: deps.workers,
      seconds: deps.seconds,
      observer: observer.reconcile,
    });
  }

  get kind(): string {
    return this.#controller.kind;
  }

  /** Queues a sweep and every object. Objects that changed since their status was written come first. */
  resync(): void {
    this.#enqueue(this.#keys(), "resync");
    this.#queue.add(sweepKey, "revocation");
  }

  start(): void {
    this.resync();
    this.#loop.start();
    this.#scheduleResync();
  }

  stop(): Promise<void> {
    this.#cancelResync();
    return this.#loop.stop();
  }

  /** Searches rows without an object, and removes them after proof of absence. */
  sweep(): void {
    this.#sweepsRequested += 1;
    this.#queue.add(sweepKey, "revocation");
  }

  /** Whether every requested sweep has ended, so that `leaving` is complete. */
  get isSwept(): boolean {
    return this.#sweepsRequested > 0 && this.#sweepsDone === this.#sweepsRequested;
  }

  /** Objects that are gone and whose rows are not removed yet. */
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

  /** A database is reachable again. Of these objects (absent: of all), failed ones are reconciled at once and the others behind them. */
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
    if (key === requeueUnreadyKey) return this.#requeueUnready();
    const object = this.#source.get(this.#controller.kind, key);
    if (object === undefined) return this.#handleGone(key);
    for (const keys of [this.#toBeRemoved, this.#retained, this.#deleted]) keys.delete(key);
    if (object.metadata.deletionTimestamp === undefined) this.#finalized.delete(key);
    if (object.metadata.deletionTimestamp !== undefined && this.#controller.finalize !== undefined)
      return this.#finalize(key, object);
    const outcome = await this.#controller.reconcile(object);
    if (outcome.isRepair === true) this.#observer.repaired?.();
    if (outcome.freesName === true) this.#queue.addAfter(requeueUnreadyKey, gatherMs, "dependency");
    return outcome;
  }

  async #finalize(key: ObjectKey, object: KubernetesObject): Promise<Outcome> {
    const { uid, finalizers = [] } = object.metadata;
    const now = this.#deps.clock.now();
    const begun = this.#finalizing.get(key);
    const since = begun?.uid === uid ? begun.since : now;
    this.#finalizing.set(key, { uid, since });
    const finalized = await this.#controller.finalize?.(object, now - since);
    if (finalized?.isDone === false) return { requeueAfter: finalized.requeueAfter };
    if (finalizers.includes(finalizer)) {
      this.#finalized.add(key);
      await this.#source.setFinalizer(this.#controller.kind, key, false);
      this.#observer.removed();
      this.#queue.addAfter(requeueUnreadyKey, gatherMs, "dependency");
    }
    this.#finalizing.delete(key);
    return {};
  }

  async #handleGone(key: ObjectKey): Promise<Outcome> {
    this.#finalizing.delete(key);
    if (!this.#toBeRemoved.has(key)) {
      this.#queue.addAfter(sweepKey, gatherMs, "revocation");
      return {};
    }
    await this.#controller.remove(key);
    for (const keys of [this.#toBeRemoved, this.#finalized, this.#deleted]) keys.delete(key);
    this.#observer.removed();
    this.#queue.addAfter(requeueUnreadyKey, gatherMs, "dependency");
    return {};
  }

  /** A removal or release may have freed a name that another object waits for. */
  #requeueUnready(): Outcome {
    for (const object of this.#source.list(this.#controller.kind))
      if (!isReadyObject(object)) this.#queue.add(keyOfObject(object), "dependency");
    return {};
  }

  /** An object in the cache exists. Only for the others the source is read live. */
  async #sweep(): Promise<Outcome> {
    const requested = this.#sweepsRequested;
    const finalizedBefore = [...this.#finalized];
    const deletedBefore = [...this.#deleted];
    const { keys, isComplete, failures } = await this.#controller.owned();
    const owned = new Set(keys);
    if (isComplete) for (const key of finalizedBefore) if (!owned.has(key)) this.#finalized.delete(key);
    const absent: ObjectKey[] = [];
    for (const key of owned) {
      if (this.#source.get(this.#controller.kind, key) !== undefined) continue;
      const { is } = await this.#source.existence(this.#controller.kind, key);
      if (is === "absent") absent.push(key);
    }
    const finalized = absent.filter((key) => this.#finalized.has(key));
    const plan = planSweep(
      owned.size,
      absent.filter((key) => !this.#finalized.has(key)),
      this.#retained,
    );
    this.#observer.planned(plan);
    // A retained key stays retained while its absence cannot be proven or its rows cannot be listed.
    for (const key of this.#retained) if (isComplete && !owned.has(key)) this.#retained.delete(key);
    for (const key of plan.retained) this.#retained.add(key);
    if (isComplete) for (const key of deletedBefore) this.#deleted.delete(key);
    for (const key of absent) this.#deleted.add(key);
    this.#toBeRemoved.clear();
    for (const key of [...finalized, ...plan.remove]) {
      this.#toBeRemoved.add(key);
      this.#queue.add(key, "revocation");
    }
    if (failures.length > 0) throw failures[0];
    this.#sweepsDone = requested;
    return {};
  }

  #keys(): readonly ObjectKey[] {
    return this.#source.list(this.#controller.kind).map(keyOfObject);
  }

  /** Queues one slice of all objects at a time, to spread the load. The sweep comes with the first slice. */
  #scheduleResync(): void {
    const { clock, random, resyncWithin: within = resyncWithin } = this.#deps;
    this.#cancelResync = clock.after((within / resyncSlices) * (0.8 + 0.4 * random()), () => {
      const keys = this.#keys();
      const size = Math.ceil(keys.length / resyncSlices);
      for (const key of keys.slice(this.#slice * size, (this.#slice + 1) * size)) this.#queue.addBehind(key);
      this.#slice = (this.#slice + 1) % resyncSlices;
      if (this.#slice === 0) this.#queue.add(sweepKey, "revocation");
      this.#scheduleResync();
    });
  }
}
