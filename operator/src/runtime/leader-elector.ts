/**
 * Makes this process the leader by a Lease, and tells when it is no longer. A leader renews every `retryPeriod`; one that could not renew
 * for `renewDeadline` has lost, whether or not it could be told so, and never leads again: the process is to end. `isLeader` asks the clock
 * each time, so that a process that slept knows before its first write.
 *
 *     acquire (every 2 s, with chance) ──► lead: renew every 2 s ──► lost (10 s without a renewal, or someone else holds it)
 *                                                        └─ stop ──► released
 */
import type { Clock, Ms } from "./clock.ts";
import {
  planAttempt,
  released,
  observeLease,
  type LeaseRecord,
  type LeaseObservation,
  type StoredLease,
} from "./election.ts";

export interface LeaseStore {
  /** Undefined: there is none. */
  get(signal: AbortSignal): Promise<StoredLease | undefined>;
  /** Both throw where someone else was faster. */
  create(record: LeaseRecord, signal: AbortSignal): Promise<StoredLease>;
  update(record: LeaseRecord, version: string, signal: AbortSignal): Promise<StoredLease>;
}

export interface ElectorObserver {
  /** Once. */
  elected(): void;
  /** Once, after `elected`: the process is to end without a further write. */
  lost(why: string): void;
  /** Another one holds the lease; told whenever it is another one than before. */
  follows(leader: string): void;
  failed(cause: unknown): void;
}

export interface ElectorOptions {
  /** Of this process, and of no other one ever. */
  readonly identity: string;
  /** A clock that never jumps and does not stop while the process does. */
  readonly clock: Clock;
  /** Milliseconds since 1970: written into the Lease, and a second witness of sleep. */
  readonly wallTime: () => Ms;
  readonly random: () => number;
  readonly leaseDuration?: Ms;
  readonly renewDeadline?: Ms;
  readonly retryPeriod?: Ms;
}

/** A request that hangs must not use up the time in which another one would have renewed. */
const longestRequest = 5_000;

export class LeaderElector {
  readonly #store: LeaseStore;
  readonly #observer: ElectorObserver;
  readonly #options: Required<ElectorOptions>;
  #sighting: LeaseObservation | undefined;
  #follows = "";
  /** When the renewal that succeeded last was begun, by both clocks. */
  #renewed: { readonly at: Ms; readonly wall: Ms } | undefined;
  #state: "new" | "candidate" | "leader" | "ended" = "new";
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void = () => undefined;

  constructor(store: LeaseStore, observer: ElectorObserver, options: ElectorOptions) {
    this.#store = store;
    this.#observer = observer;
    this.#options = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000, ...options };
  }

  start(): void {
    if (this.#state !== "new") return;
    this.#state = "candidate";
    this.#running = this.#run();
  }

  /** Whether this process may write now. */
  get isLeader(): boolean {
    return this.#state === "leader" && this.#sinceRenewal() < this.#options.renewDeadline;
  }

  /** Gives the lease back, after the work under way has ended. Resolves when that is done, or could not be done in some seconds. */
  async stop(): Promise<void> {
    const mayRelease = this.isLeader;
    this.#state = "ended";
    this.#cancelDeadline();
    this.#wake();
    await this.#running;
    if (!mayRelease || this.#sighting === undefined) return;
    const { record, version } = this.#sighting.lease;
    if (record.holderIdentity !== this.#options.identity) return;
    const free = released(record, this.#options.wallTime());
    await this.#bounded((signal) => this.#store.update(free, version, signal)).catch((cause: unknown) =>
      this.#observer.failed(cause),
    );
  }

  async #run(): Promise<void> {
    while (this.#state === "candidate" || this.#state === "leader") {
      const began = { at: this.#options.clock.now(), wall: this.#options.wallTime() };
      const isHeld = await this.#attempt().catch((cause: unknown) => {
        this.#observer.failed(cause);
        return undefined;
      });
      if (isHeld === true) this.#held(began);
      else if (isHeld === false && this.#isLeading()) this.#lose("another process holds the lease");
      if (this.#isLeading() && !this.isLeader) this.#lose(this.#lateness());
      await this.#pause();
    }
  }

  /** Whether the lease is ours now; throws where that is not known. */
  async #attempt(): Promise<boolean> {
    const { clock, wallTime } = this.#options;
    // What was written last is most likely still there; the server refuses the write where it is not.
    if (!this.#isLeading()) await this.#look();
    const plan = planAttempt(this.#options, this.#sighting, clock.now(), wallTime());
    if (plan.do === "wait") return false;
    const write = (signal: AbortSignal): Promise<StoredLease> =>
      plan.do === "create"
        ? this.#store.create(plan.record, signal)
        : this.#store.update(plan.record, plan.version, signal);
    try {
      this.#sighting = observeLease(this.#sighting, await this.#bounded(write), clock.now());
      return true;
    } catch (cause) {
      if (!this.#isLeading()) throw cause;
      // It may have been written although no answer came; it may be someone else's by now.
      // Where it was removed or given back, the next attempt takes it again, unless somebody else is faster.
      await this.#look();
      const holder = this.#sighting?.lease.record.holderIdentity ?? "";
      if (holder !== "" && holder !== this.#options.identity) return false;
      throw cause;
    }
  }

  async #look(): Promise<void> {
    const lease = await this.#bounded((signal) => this.#store.get(signal));
    this.#sighting =
      lease === undefined ? undefined : observeLease(this.#sighting, lease, this.#options.clock.now());
    const holder = lease?.record.holderIdentity ?? "";
    if (holder === this.#follows || holder === this.#options.identity) return;
    this.#follows = holder;
    if (holder !== "") this.#observer.follows(holder);
  }

  #held(began: { readonly at: Ms; readonly wall: Ms }): void {
    if (this.#state === "ended") return;
    this.#renewed = began;
    if (this.#sinceRenewal() >= this.#options.renewDeadline) return; // it took so long that it counts for nothing
    this.#watchDeadline();
    if (this.#state === "leader") return;
    this.#state = "leader";
    this.#observer.elected();
  }

  #watchDeadline(): void {
    this.#cancelDeadline();
    const remaining = this.#options.renewDeadline - this.#sinceRenewal();
    this.#cancelDeadline = this.#options.clock.after(remaining, () => this.#lose(this.#lateness()));
  }

  #lose(why: string): void {
    if (this.#state !== "leader") return;
    this.#state = "ended";
    this.#cancelDeadline();
    this.#observer.lost(why);
    this.#wake();
  }

  /** By the clock that went further: a machine that was suspended may have stopped one of them. */
  #sinceRenewal(): Ms {
    if (this.#renewed === undefined) return Infinity;
    const { clock, wallTime } = this.#options;
    return Math.max(clock.now() - this.#renewed.at, wallTime() - this.#renewed.wall);
  }

  #lateness(): string {
    return `the lease was not renewed for ${Math.round(this.#sinceRenewal() / 1000)} s`;
  }

  /** `#state` changes while others await; a direct comparison would be narrowed by the compiler. */
  #isLeading(): boolean {
    return this.#state === "leader";
  }

  #pause(): Promise<void> {
    const { retryPeriod, clock, random } = this.#options;
    if (this.#state === "ended") return Promise.resolve();
    // Candidates that wait for the same lease do not ask at the same moment.
    const delay = this.#state === "leader" ? retryPeriod : retryPeriod * (1 + 1.2 * random());
    return new Promise((resolve) => {
      const cancel = clock.after(delay, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Leaves a request that takes longer than `longestRequest`, whether it heeds its signal or not. */
  async #bounded<Result>(request: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(longestRequest, () => {
        controller.abort();
        reject(new Error(`no answer about the lease within ${longestRequest / 1000} s`));
      });
    });
    try {
      return await Promise.race([request(controller.signal), late]);
    } finally {
      cancel();
    }
  }
}
