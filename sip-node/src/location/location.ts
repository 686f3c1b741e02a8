/**
 * The location service (RFC 3261 §10, §16.5). A look-up is answered from this node's copy while the copy is known to be current, otherwise from
 * the database, together with others (docs/adr/0045). Every change is committed, together with others, and known to the copies of all nodes
 * before it is acknowledged (P1, P2). While the database is away, the copy answers what it knows (P7).
 */
import type { Epoch, Ms } from "../wire/units.ts";
import { type Aor, aorText, type Resolution } from "./account.ts";
import { readByContact, storeTargets } from "./batches.ts";
import type { AorBindings, Binding, CommitOutcome, OwnedBinding } from "./binding.ts";
import { BindingChanges, type PlannedChange } from "./binding-changes.ts";
import { BindingCopy } from "./binding-copy.ts";
import { BindingLookups } from "./binding-lookups.ts";
import { type Coalesce, Coalescer } from "./coalescer.ts";
import type { CopyProtocol, CopyReceiver } from "./copy-protocol.ts";
import { DatabaseReads } from "./database-reads.ts";
import type { DialogTarget } from "./dialog-target.ts";
import { type LocationStore, StoreUnavailable } from "./location-store.ts";
import type { Lookup, LookupKind, LookupResult } from "./lookup.ts";
import { UserLookups } from "./user-lookups.ts";
import { warmCopy } from "./warm-copy.ts";

export interface LocationDependencies {
  /** Calls `act` after `delay`, at the earliest after this turn of the event loop: so all items of one turn are in the first batch. */
  defer(act: () => void, delay: Ms): void;
  /** Monotonic. */
  now(): Ms;
  epoch(): Epoch;
  readonly protocol: CopyProtocol;
  /** The largest number of addresses of record, and of names, in the copy. */
  readonly maxCopied: number;
  lookedUp(kind: LookupKind, result: LookupResult): void;
}

const readLimits = { maxBatch: 64, maxRunning: 2, maxQueue: 10_000 };
/** One key in each statement, so that a contact which many users share does not use up the rows of another one. */
const contactLimits = { maxBatch: 1, maxRunning: 2, maxQueue: 1_000 };
const targetLimits = { maxBatch: 128, maxRunning: 1, maxQueue: 10_000 };
/** The tables of users are asked about in every fifth poll: about every two seconds. */
const pollsPerTableCheck = 5;
export class Location implements Lookup, CopyReceiver {
  private readonly store: LocationStore;
  private readonly deps: LocationDependencies;
  private readonly reads: DatabaseReads;
  private readonly copy: BindingCopy;
  private readonly users: UserLookups;
  private readonly lookups: BindingLookups;
  private readonly changes: BindingChanges;
  private readonly byContact: Coalescer<string, readonly OwnedBinding[]>;
  private readonly dialogTargets: Coalescer<string, DialogTarget | undefined>;
  private readonly targetWrites: Coalescer<DialogTarget, undefined>;
  private polls = 0;
  /** The database's clock minus this node's. */
  private databaseAhead: Ms = 0;

  constructor(store: LocationStore, deps: LocationDependencies) {
    this.store = store;
    this.deps = deps;
    this.copy = new BindingCopy(deps.maxCopied);
    const reads = new DatabaseReads((kind, result) => deps.lookedUp(kind, result));
    const coalesce: Coalesce = (run, limits) =>
      new Coalescer({ run, defer: (act, delay) => deps.defer(act, delay), now: () => deps.now() }, limits);
    const { copy } = this;
    const { protocol, maxCopied } = deps;
    const shared = { store, reads, coalesce, now: () => deps.now() };
    this.reads = reads;
    this.users = new UserLookups({ ...shared, maxCopied, removed: (user) => copy.remove(aorText(user)) });
    this.lookups = new BindingLookups({ ...shared, copy, protocol, users: this.users });
    const databaseNow = () => deps.epoch() + this.databaseAhead;
    this.changes = new BindingChanges({ ...shared, copy, protocol, databaseNow });
    this.byContact = coalesce((keys) => readByContact(store, keys), contactLimits);
    this.dialogTargets = coalesce((ids) => store.dialogTargets(ids), readLimits);
    this.targetWrites = coalesce((batch) => storeTargets(store, batch), targetLimits);
  }

  /** The number of entries of each kind. */
  get copied() {
    return { name: this.users.copy.size, bindings: this.copy.size };
  }

  get evicted() {
    return { name: this.users.copy.evictions, bindings: this.copy.evictions };
  }

  // ── Look-ups ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  resolve(name: Aor): Promise<Resolution> {
    return this.users.resolve(name);
  }

  resolveUnproven(name: Aor): Promise<Resolution> {
    return this.users.resolveUnproven(name);
  }

  refresh(names: readonly Aor[]): Promise<boolean> {
    return this.users.refresh(names);
  }

  bindings(aor: Aor): Promise<AorBindings> {
    return this.lookups.bindings(aor);
  }

  bindingById(id: string): Promise<Binding | undefined> {
    return this.lookups.bindingById(id);
  }

  bindingsByContact(key: string): Promise<readonly OwnedBinding[]> {
    return this.reads.read("contact", () => this.byContact.add(key));
  }

  dialogTarget(sideId: string): Promise<DialogTarget | undefined> {
    return this.reads.read("dialog", () => this.dialogTargets.add(sideId));
  }

  async storeDialogTarget(target: DialogTarget): Promise<void> {
    await this.reads.read("dialog", () => this.targetWrites.add(target));
  }

  // ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves after COMMIT, when no node can use what was before. */
  commit(change: PlannedChange): Promise<CommitOutcome> {
    return this.changes.commit(change);
  }

  /** Before a 200 OK to a REGISTER that changes nothing. Resolves when no node can use what was before these bindings. */
  confirm(aor: Aor, list: AorBindings): Promise<void> {
    return this.changes.confirm(aor, list);
  }

  apply(bytes: Uint8Array): void {
    this.changes.apply(bytes);
  }

  distrust(): void {
    this.copy.distrust();
  }

  // ── The start of a node ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads all domains, users, aliases and bindings, page by page. Ends at the time limit, or when the copy is full. Rejects when a page cannot be
   * read. The rest is read when it is needed.
   */
  warm(timeLimit: Ms): Promise<void> {
    const { store, users, lookups, deps } = this;
    return warmCopy({ store, users, lookups, now: () => deps.now(), maxCopied: deps.maxCopied }, timeLimit);
  }

  // ── The database from time to time ───────────────────────────────────────────────────────────────────────────────────────

  /** Polls the database, and answers from the copy what waits for a database that is away. Called in every tick. */
  advance(now: Ms): void {
    if (this.reads.advance(now)) void this.poll(now);
  }

  /** Whether phones still refresh bindings that expired while the database was away. Their rows stay until then. */
  get isRecovering(): boolean {
    return this.reads.health.recovery(this.deps.now()) !== undefined;
  }

  private async poll(startedAt: Ms): Promise<void> {
    const { health } = this.reads;
    this.polls += 1;
    try {
      const found = await this.store.accountChanges(this.polls % pollsPerTableCheck === 1);
      this.databaseAhead = found.databaseNow - this.deps.epoch();
      const moved = this.users.update(found, startedAt);
      const wasAway = health.answered(this.deps.now());
      if (wasAway || moved !== "no") this.users.copy.distrust();
      // The operator removes bindings too, for example those of a user with a new password
      if (wasAway || moved === "operator") this.copy.distrust();
    } catch (error) {
      // Another error than an outage, such as a missing permission: the server answers, and nothing is proven
      if (error instanceof StoreUnavailable) health.failed(error, this.deps.now());
      else if (health.answered(this.deps.now())) this.distrustAll();
    }
  }

  private distrustAll(): void {
    this.users.copy.distrust();
    this.copy.distrust();
  }
}
