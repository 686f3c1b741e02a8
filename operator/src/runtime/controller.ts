/**
 * What the controller of a kind is to the runtime, and the loop that runs one. An object that is there is reconciled; rows whose object
 * is gone are removed by the sweep alone, which needs proof of absence and stops before it removes many.
 */
import type { Clock } from "./clock.ts";
import { KeyedQueue, type QueueObserver } from "./keyed-queue.ts";
import { keyOf, type CommonStatus, type KubernetesObject, type ObjectKey } from "./object.ts";
import { planSweep, type SweepPlan } from "./plan-sweep.ts";
import { ReconcileLoop, type Outcome, type ReconcileObserver } from "./reconcile-loop.ts";
import type { Change, Source } from "./source.ts";

export interface Controller {
  readonly kind: string;
  reconcile(object: KubernetesObject): Promise<Outcome>;
  /** Removes what the object made. Knows only the key: the object is gone. */
  remove(key: ObjectKey): Promise<void>;
  /** Keys of the objects that own rows. */
  owned(): Promise<readonly ObjectKey[]>;
  /** Objects of this kind that a change of another object or Secret concerns. */
  concernedBy(change: Change): readonly ObjectKey[];
}

export interface ControllerObserver {
  readonly queue: QueueObserver;
  readonly reconcile: ReconcileObserver;
  removed(): void;
  planned(sweep: SweepPlan): void;
}

/** The sweep's own key in the queue; no object is called so. */
const sweepKey = "/sweep";
const backOff = { first: 200, longest: 10_000 };

export class ControllerLoop {
  readonly #controller: Controller;
  readonly #source: Source;
  readonly #observer: ControllerObserver;
  readonly #queue: KeyedQueue<ObjectKey>;
  readonly #loop: ReconcileLoop<ObjectKey>;
  /** Keys that the last sweep found absent. */
  readonly #condemned = new Set<ObjectKey>();

  constructor(
    controller: Controller,
    source: Source,
    observer: ControllerObserver,
    options: {
      readonly clock: Clock;
      readonly random: () => number;
      readonly seconds: () => number;
      readonly workers: number;
    },
  ) {
    this.#controller = controller;
    this.#source = source;
    this.#observer = observer;
    this.#queue = new KeyedQueue(options.clock, backOff, options.random, observer.queue);
    this.#loop = new ReconcileLoop<ObjectKey>(this.#queue, (key) => this.#work(key), {
      workers: options.workers,
      seconds: options.seconds,
      observer: observer.reconcile,
    });
  }

  /** Queues every object and a sweep. */
  resync(): void {
    for (const { metadata } of this.#source.list(this.#controller.kind))
      this.#queue.add(keyOf(metadata.namespace, metadata.name));
    this.#queue.add(sweepKey);
  }

  start(): void {
    this.#loop.start();
    this.resync();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Rows without an object are looked for, and removed on proof. */
  sweep(): void {
    this.#queue.add(sweepKey);
  }

  changed(change: Change): void {
    if (change.kind === this.#controller.kind && change.what === "object") this.#queue.add(change.key);
    for (const key of this.#controller.concernedBy(change)) this.#queue.add(key);
  }

  async #work(key: ObjectKey): Promise<Outcome> {
    if (key === sweepKey) return this.#sweep();
    const object = this.#source.get(this.#controller.kind, key);
    if (object !== undefined) {
      this.#condemned.delete(key);
      return this.#controller.reconcile(object);
    }
    if (!this.#condemned.has(key)) return {};
    await this.#controller.remove(key);
    this.#condemned.delete(key);
    this.#observer.removed();
    this.#wakeUnready();
    return {};
  }

  /** What is gone may have been in the way of others: a name that was taken is free now. */
  #wakeUnready(): void {
    for (const { metadata, status } of this.#source.list(this.#controller.kind)) {
      const isReady = (status as CommonStatus | undefined)?.conditions?.some(
        ({ type, status: is }) => type === "Ready" && is === "True",
      );
      if (isReady !== true) this.#queue.add(keyOf(metadata.namespace, metadata.name));
    }
  }

  async #sweep(): Promise<Outcome> {
    const owned = await this.#controller.owned();
    const absent: ObjectKey[] = [];
    for (const key of owned) {
      const { is } = await this.#source.presence(this.#controller.kind, key);
      if (is === "absent") absent.push(key);
    }
    const plan = planSweep(owned.length, absent);
    this.#observer.planned(plan);
    this.#condemned.clear();
    for (const key of plan.kind === "remove" ? plan.keys : []) {
      this.#condemned.add(key);
      this.#queue.add(key);
    }
    return {};
  }
}
