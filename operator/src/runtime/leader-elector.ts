/**
 * Makes this process the leader by a Lease, and reports the loss of the leadership. A leader renews every `retryPeriod`. A leader without a
 * renewal for `renewDeadline` has lost the leadership, even if it cannot reach the API server. It never leads again: the process must end.
 * `isLeader` reads the clock at each call, so a process that was suspended knows it before its first write.
 *
 *     acquire (every 2 s, with jitter) ──► lead: renew every 2 s ──► lost (10 s without a renewal, or another holder)
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
  /** Both throw if another process was faster. */
  create(record: LeaseRecord, signal: AbortSignal): Promise<StoredLease>;
  update(record: LeaseRecord, version: string, signal: AbortSignal): Promise<StoredLease>;
}

export interface ElectorObserver {
  /** Once. */
  elected(): void;
  /** Once, after `elected`: the process must end without a further write. */
  lost(why: string): void;
  /** Another process holds the lease. Called at each change of the holder. */
  follows(leader: string): void;
  failed(cause: unknown): void;
}

export interface ElectorDependencies {
  /** Unique to this process for all time. */
  readonly identity: string;
  /** A monotonic clock that continues while the process is stopped. */
  readonly clock: Clock;
  /** Milliseconds since 1970: written into the Lease, and a second way to detect a suspended process. */
  readonly wallTime: () => Ms;
  readonly random: () => number;
  readonly leaseDuration?: Ms;
  readonly renewDeadline?: Ms;
  readonly retryPeriod?: Ms;
}

/** A request without an answer must leave time for another renewal. */
const longestRequest = 5_000;

export class LeaderElector {
  readonly #store: LeaseStore;
  readonly #observer: ElectorObserver;
  readonly #deps: Required<ElectorDependencies>;
  #observation: LeaseObservation | undefined;
  #follows = "";
  /** The start of the last successful renewal, by both clocks. */
  #renewed: { readonly at: Ms; readonly wall: Ms } | undefined;
  #state: "new" | "candidate" | "leader" | "ended" = "new";
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void = () => undefined;

  constructor(store: LeaseStore, observer: ElectorObserver, deps: ElectorDependencies) {
    this.#store = store;
    this.#observer = observer;
    this.#deps = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000, ...deps };
  }

  start(): void {
    if (this.#state !== "new") return;
    this.#state = "candidate";
    this.#running = this.#run();
  }

  /** Whether this process may write now. */
  get isLeader(): boolean {
    return this.#state === "leader" && this.#sinceRenewal() < this.#deps.renewDeadline;
  }

  /** Releases the lease after the work in progress has ended. Resolves when it is released, or after some seconds. */
  async stop(): Promise<void> {
    const mayRelease = this.isLeader;
    this.#state = "ended";
    this.#cancelDeadline();
    this.#wake();
    await this.#running;
    if (!mayRelease || this.#observation === undefined) return;
    const { record, version } = this.#observation.lease;
    if (record.holderIdentity !== this.#deps.identity) return;
    const free = released(record, this.#deps.wallTime());
    await this.#bounded((signal) => this.#store.update(free, version, signal)).catch((cause: unknown) =>
      this.#observer.failed(cause),
    );
  }

  async #run(): Promise<void> {
    while (this.#state === "candidate" || this.#state === "leader") {
      const began = { at: this.#deps.clock.now(), wall: this.#deps.wallTime() };
      const isHeld = await this.#attempt().catch((cause: unknown) => {
        this.#observer.failed(cause);
        return undefined;
      });
      if (isHeld === true) this.#recordRenewal(began);
      else if (isHeld === false && this.#isLeading()) this.#lose("another process holds the lease");
      if (this.#isLeading() && !this.isLeader) this.#lose(this.#lateness());
      await this.#pause();
    }
  }

  /** Returns whether this process holds the lease; throws if that is unknown. */
  async #attempt(): Promise<boolean> {
    const { clock, wallTime } = this.#deps;
    // A leader does not read first: its last record is most likely unchanged, and otherwise the server refuses the write.
    if (!this.#isLeading()) await this.#readLease();
    const plan = planAttempt(this.#deps, this.#observation, clock.now(), wallTime());
    if (plan.do === "wait") return false;
    const write = (signal: AbortSignal): Promise<StoredLease> =>
      plan.do === "create"
        ? this.#store.create(plan.record, signal)
        : this.#store.update(plan.record, plan.version, signal);
    try {
      this.#observation = observeLease(this.#observation, await this.#bounded(write), clock.now());
      return true;
    } catch (cause) {
      if (!this.#isLeading()) throw cause;
      // The write may have succeeded without an answer, or another process may hold the lease by now.
      // If the lease was removed or released, the next attempt takes it again, unless another process is faster.
      await this.#readLease();
      const holder = this.#observation?.lease.record.holderIdentity ?? "";
      if (holder !== "" && holder !== this.#deps.identity) return false;
      throw cause;
    }
  }

  async #readLease(): Promise<void> {
    const lease = await this.#bounded((signal) => this.#store.get(signal));
    this.#observation =
      lease === undefined ? undefined : observeLease(this.#observation, lease, this.#deps.clock.now());
    const holder = lease?.record.holderIdentity ?? "";
    if (holder === this.#follows || holder === this.#deps.identity) return;
    this.#follows = holder;
    if (holder !== "") this.#observer.follows(holder);
  }

  #recordRenewal(began: { readonly at: Ms; readonly wall: Ms }): void {
    if (this.#state === "ended") return;
    this.#renewed = began;
    if (this.#sinceRenewal() >= this.#deps.renewDeadline) return; // the renewal took too long to count
    this.#watchDeadline();
    if (this.#state === "leader") return;
    this.#state = "leader";
    this.#observer.elected();
  }

  #watchDeadline(): void {
    this.#cancelDeadline();
    const remaining = this.#deps.renewDeadline - this.#sinceRenewal();
    this.#cancelDeadline = this.#deps.clock.after(remaining, () => this.#lose(this.#lateness()));
  }

  #lose(why: string): void {
    if (this.#state !== "leader") return;
    this.#state = "ended";
    this.#cancelDeadline();
    this.#observer.lost(why);
    this.#wake();
  }

  /** By the clock with the longer time: a suspended machine may have stopped one of them. */
  #sinceRenewal(): Ms {
    if (this.#renewed === undefined) return Infinity;
    const { clock, wallTime } = this.#deps;
    return Math.max(clock.now() - this.#renewed.at, wallTime() - this.#renewed.wall);
  }

  #lateness(): string {
    return `the lease was not renewed for ${Math.round(this.#sinceRenewal() / 1000)} s`;
  }

  /** `#state` changes during an await. The compiler would narrow a direct comparison. */
  #isLeading(): boolean {
    return this.#state === "leader";
  }

  #pause(): Promise<void> {
    const { retryPeriod, clock, random } = this.#deps;
    if (this.#state === "ended") return Promise.resolve();
    // Candidates for the same lease must not ask at the same time.
    const delay = this.#state === "leader" ? retryPeriod : retryPeriod * (1 + 1.2 * random());
    return new Promise((resolve) => {
      const cancel = clock.after(delay, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Aborts a request after `longestRequest`, and does not wait for it even if it ignores its signal. */
  async #bounded<Result>(request: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#deps.clock.after(longestRequest, () => {
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
