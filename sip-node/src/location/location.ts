/**
 * The location service (RFC 3261 §10, §16.5). A look-up is answered from this node's copy while the copy is known to be current, otherwise from
 * the database, together with others (docs/adr/0045). Every change is committed, together with others, and known to the copies of all nodes
 * before it is acknowledged (P1, P2). While the database is away, the copy answers what it knows (P7).
 */
import type { Epoch, Ms } from "../wire/units.ts";
import { isAscii } from "../wire/wire-text.ts";
import { AccountsState } from "./account-changes.ts";
import { type Aor, aorText, isSameAor, type Resolution } from "./account.ts";
import { commitFirstOfEach, readByContact, runDistinct, storeTargets } from "./batches.ts";
import {
  type AorBindings,
  type Binding,
  type BindingChange,
  type CommitOutcome,
  noBindings,
  type OwnedBinding,
} from "./binding.ts";
import { BindingCopy, bindingsAt, type CopyEntry } from "./binding-copy.ts";
import { type AnnouncedChange, decodeChanges, encodeChanges } from "./change-encoding.ts";
import { Coalescer, type CoalescerDependencies, type CoalescerLimits } from "./coalescer.ts";
import type { CopyProtocol, CopyReceiver } from "./copy-protocol.ts";
import type { DialogTarget } from "./dialog-target.ts";
import { type LocationStore, type NameKind, StoreUnavailable } from "./location-store.ts";
import { ResolutionCopy, type ResolutionEntry } from "./resolution-copy.ts";
import { StoreHealth } from "./store-health.ts";

/** The look-ups of the registrar and the proxy. A promise rejects only with `StoreUnavailable` or `QueueFull`. */
export interface Lookup {
  resolve(name: Aor): Promise<Resolution>;
  /**
   * For a request without credentials, which is challenged in any case: the user if the copy has it, otherwise the domain only. So the response
   * time does not show whether the user exists.
   */
  resolveUnproven(name: Aor): Promise<Resolution>;
  /**
   * Before a wrong password is refused: reads the users that a copy answered, because another tool may have changed them. Returns whether one of
   * them has changed. Never rejects.
   */
  refresh(names: readonly Aor[]): Promise<boolean>;
  bindings(aor: Aor): Promise<AorBindings>;
  /** The binding of a `contact_id`, expired or not. */
  bindingById(id: string): Promise<Binding | undefined>;
  /** Current bindings of all users whose contact has this `contactKey`; empty when more than `maxSameContact` have it. */
  bindingsByContact(key: string): Promise<readonly OwnedBinding[]>;
  /** The new address of a side of a dialog; undefined: it sent no target refresh. */
  dialogTarget(sideId: string): Promise<DialogTarget | undefined>;
  /** Resolves when every node can read it. */
  storeDialogTarget(target: DialogTarget): Promise<void>;
}

export type LookupKind = "user" | "bindings" | "binding" | "contact" | "dialog";
/** `away`: answered from the copy because the database is away. `unavailable`: not answered. */
export type LookupResult = "copy" | "database" | "away" | "unavailable";

export interface LocationDependencies {
  /** Calls `act` later, so that all items of one turn of the event loop are in the first batch. */
  defer(act: () => void): void;
  /** Monotonic. */
  now(): Ms;
  epoch(): Epoch;
  readonly protocol: CopyProtocol;
  /** The largest number of addresses of record, and of names, in the copy. */
  readonly maxCopied: number;
  lookedUp(kind: LookupKind, result: LookupResult): void;
}

/** A change with what else the address of record has: the bindings that the change leaves as they are. Undefined: not known. */
export interface PlannedChange extends BindingChange {
  readonly others?: readonly Binding[];
}

/** `announced`: resolves when the copies of all nodes have the change. */
interface CommittedChange {
  readonly outcome: CommitOutcome;
  readonly announced: Promise<unknown>;
}

interface WaitingLookup {
  /** Called when the database is away. Returns whether the look-up was answered. */
  fallBack(): boolean;
}

const readLimits = { maxBatch: 64, maxRunning: 2, maxQueue: 10_000 };
const refreshLimits = { maxBatch: 64, maxRunning: 1, maxQueue: 1_000 };
/** One key in each statement, so that a contact which many users share does not use up the rows of another one. */
const contactLimits = { maxBatch: 1, maxRunning: 2, maxQueue: 1_000 };
const commitLimits = { maxBatch: 128, maxRunning: 1, maxQueue: 10_000 };
const announceLimits = { maxBatch: 128, maxRunning: 16, maxQueue: 10_000 };
/** The tables of users are asked about in every fifth poll: about every two seconds. */
const pollsPerTableCheck = 5;
/** Names in a statement when a node starts. */
const pageSize = 256;

export class Location implements Lookup, CopyReceiver {
  private readonly store: LocationStore;
  private readonly deps: LocationDependencies;
  private readonly copy: BindingCopy;
  private readonly names: ResolutionCopy;
  private readonly health = new StoreHealth();
  private readonly accounts = new AccountsState();
  private readonly waiting = new Set<WaitingLookup>();
  private polls = 0;
  private databaseAhead: Ms = 0;
  private readonly resolutions: Coalescer<Aor, Resolution>;
  private readonly refreshes: Coalescer<Aor, Resolution>;
  private readonly bindingLists: Coalescer<Aor, AorBindings>;
  private readonly byId: Coalescer<string, Binding | undefined>;
  private readonly byContact: Coalescer<string, readonly OwnedBinding[]>;
  private readonly dialogTargets: Coalescer<string, DialogTarget | undefined>;
  private readonly targetWrites: Coalescer<DialogTarget, undefined>;
  private readonly commits: Coalescer<PlannedChange, CommittedChange>;
  private readonly announcements: Coalescer<AnnouncedChange, undefined>;

  constructor(store: LocationStore, deps: LocationDependencies) {
    this.store = store;
    this.deps = deps;
    this.copy = new BindingCopy(deps.maxCopied);
    this.names = new ResolutionCopy(deps.maxCopied);
    const coalesce = <Item, Answer>(
      run: CoalescerDependencies<Item, Answer>["run"],
      limits: CoalescerLimits,
    ) => new Coalescer({ run, defer: (act) => deps.defer(act) }, limits);
    this.resolutions = coalesce(
      (names) => runDistinct(names, aorText, (distinct) => this.readNames(distinct)),
      readLimits,
    );
    this.refreshes = coalesce(
      (names) => runDistinct(names, aorText, (distinct) => this.readNames(distinct)),
      refreshLimits,
    );
    this.bindingLists = coalesce(
      (aors) => runDistinct(aors, aorText, (distinct) => this.readBindings(distinct)),
      readLimits,
    );
    this.byId = coalesce((ids) => store.bindingsById(ids), readLimits);
    this.byContact = coalesce((keys) => readByContact(store, keys), contactLimits);
    this.dialogTargets = coalesce((ids) => store.dialogTargets(ids), readLimits);
    this.targetWrites = coalesce((batch) => storeTargets(store, batch), commitLimits);
    this.commits = coalesce((changes) => this.commitBatch(changes), commitLimits);
    this.announcements = coalesce((changes) => this.announceBatch(changes), announceLimits);
  }

  /** The number of entries of each kind. */
  get copied() {
    return { name: this.names.size, bindings: this.copy.size };
  }

  get evicted() {
    return { name: this.names.evictions, bindings: this.copy.evictions };
  }

  // ── Look-ups ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A domain is a host (RFC 3261 §25.1). A login name may have other text after its "@", which some tables cannot compare. Such a text
   * names no domain.
   */
  resolve(name: Aor): Promise<Resolution> {
    if (!isAscii(name.domain)) return Promise.resolve({ domain: undefined, account: undefined });
    return isStorable(name) ? this.resolveStorable(name) : this.resolveDomain(name.domain);
  }

  resolveUnproven(name: Aor): Promise<Resolution> {
    const now = this.deps.now();
    const isCopied = ({ username, domain }: Aor): boolean => {
      const entry = this.names.find(aorText({ username, domain }));
      return entry !== undefined && this.isProven(entry, now);
    };
    const domain = { username: "", domain: name.domain };
    return this.resolve(isCopied(domain) && !isCopied(name) ? domain : name);
  }

  bindings(aor: Aor): Promise<AorBindings> {
    const key = aorText(aor);
    const now = this.deps.now();
    const entry = this.copy.find(key);
    if (entry !== undefined && this.isCurrent(entry, now))
      return this.answerCopied("bindings", bindingsAt(entry, now));
    if (this.isOtherName(aor, this.names.find(key), now)) return this.answerCopied("bindings", noBindings);
    return this.read(
      "bindings",
      () => this.bindingLists.add(aor),
      () => this.bindingsWhileAway(aor, key),
    );
  }

  bindingById(id: string): Promise<Binding | undefined> {
    const now = this.deps.now();
    const entry = this.copy.findById(id);
    const find = (one: CopyEntry, at: Ms) =>
      bindingsAt(one, at).bindings.find((binding) => binding.id === id);
    if (entry !== undefined && this.isCurrent(entry, now))
      return this.answerCopied("binding", find(entry, now));
    return this.read(
      "binding",
      () => this.byId.add(id),
      () => {
        const known = this.copy.findById(id);
        return known === undefined ? undefined : find(known, this.health.expiryTime(this.deps.now()));
      },
    );
  }

  bindingsByContact(key: string): Promise<readonly OwnedBinding[]> {
    return this.read("contact", () => this.byContact.add(key));
  }

  dialogTarget(sideId: string): Promise<DialogTarget | undefined> {
    return this.read("dialog", () => this.dialogTargets.add(sideId));
  }

  async storeDialogTarget(target: DialogTarget): Promise<void> {
    await this.read("dialog", () => this.targetWrites.add(target));
  }

  /**
   * A name that the copy does not have was read for this request, so a wrong password takes one read whether the user exists or not. All wrong
   * passwords share one statement at a time, in which each user is once.
   */
  async refresh(names: readonly Aor[]): Promise<boolean> {
    const known = names.filter((name) => this.names.find(aorText(name)) !== undefined);
    if (known.length === 0 || this.health.isAway) return false;
    const before = known.map((name) => JSON.stringify(this.names.find(aorText(name))?.resolution));
    try {
      const found = await Promise.all(known.map((name) => this.refreshes.add(name)));
      return found.some((resolution, i) => JSON.stringify(resolution) !== before[i]);
    } catch {
      return false;
    }
  }

  private resolveStorable(name: Aor): Promise<Resolution> {
    const key = aorText(name);
    const entry = this.names.find(key);
    if (entry !== undefined && this.isProven(entry, this.deps.now()))
      return this.answerCopied("user", entry.resolution);
    return this.read(
      "user",
      () => this.resolutions.add(name),
      () => this.names.find(key)?.resolution,
    );
  }

  /** A name that no row can hold has no account, but its domain may be served. */
  private async resolveDomain(domain: string): Promise<Resolution> {
    if (domain.length > 64) return { domain: undefined, account: undefined };
    const { domain: served } = await this.resolveStorable({ username: "", domain });
    return { domain: served, account: undefined };
  }

  private isCurrent(entry: CopyEntry, now: Ms): boolean {
    return this.copy.isTrusted(entry, now) && this.deps.protocol.isCurrent();
  }

  private isProven({ epoch, readAt }: ResolutionEntry, now: Ms): boolean {
    return epoch === this.names.epoch && this.accounts.isProven(readAt, now);
  }

  /** Whether the name is an alias: the bindings are those of the user. */
  private isOtherName(aor: Aor, entry: ResolutionEntry | undefined, now: Ms): boolean {
    const account = entry?.resolution.account;
    return (
      entry !== undefined && account !== undefined && !isSameAor(aor, account) && this.isProven(entry, now)
    );
  }

  private bindingsWhileAway(aor: Aor, key: string): AorBindings | undefined {
    const entry = this.copy.find(key);
    if (entry !== undefined) return bindingsAt(entry, this.health.expiryTime(this.deps.now()));
    const account = this.names.find(key)?.resolution.account;
    return account !== undefined && !isSameAor(aor, account) ? noBindings : undefined;
  }

  // ── Reads ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private answerCopied<Answer>(kind: LookupKind, answer: Answer): Promise<Answer> {
    this.deps.lookedUp(kind, "copy");
    return Promise.resolve(answer);
  }

  /**
   * Reads the database. While it is away: answers with `fromCopy`, whatever its age, or rejects. A look-up that the copy never answers does not
   * wait for a slow database.
   */
  private read<Answer>(
    kind: LookupKind,
    run: () => Promise<Answer>,
    fromCopy?: () => Answer | undefined,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (result: LookupResult, act: () => void): true => {
        if (this.waiting.delete(lookup)) this.deps.lookedUp(kind, result);
        act(); // a promise that is settled already ignores it
        return true;
      };
      const refuse = (cause: Error) => settle("unavailable", () => reject(cause));
      const lookup: WaitingLookup = {
        fallBack: () => {
          const answer = fromCopy?.();
          if (answer !== undefined) return settle("away", () => resolve(answer));
          return fromCopy === undefined || this.health.hasFailed ? refuse(this.unavailable()) : false;
        },
      };
      this.waiting.add(lookup);
      if (this.health.isAway && lookup.fallBack()) return;
      run().then(
        (answer) => settle("database", () => resolve(answer)),
        (error: Error) => {
          const answer = error instanceof StoreUnavailable ? this.suspect(fromCopy) : undefined;
          if (answer === undefined) refuse(error);
          else settle("away", () => resolve(answer));
        },
      );
    });
  }

  private suspect<Answer>(fromCopy?: () => Answer | undefined): Answer | undefined {
    this.health.suspect();
    return fromCopy?.();
  }

  private unavailable(): StoreUnavailable {
    return new StoreUnavailable("the database is away", this.health.cause ?? "no answer");
  }

  private async readNames(names: readonly Aor[]): Promise<readonly Resolution[]> {
    const startedAt = this.deps.now();
    const startedIn = this.names.epoch;
    const found = await this.store.resolve(names);
    names.forEach((name, i) => {
      const former = this.names.store(name, found[i] as Resolution, startedAt, startedIn);
      if (former !== undefined) this.copy.remove(aorText(former));
    });
    return found;
  }

  private async readBindings(aors: readonly Aor[]): Promise<readonly AorBindings[]> {
    const startedAt = this.deps.now();
    const startedIn = this.copy.epoch;
    const found = await this.store.bindings(aors);
    return aors.map((aor, i) => {
      const list = found[i] as AorBindings;
      const key = aorText(aor);
      const isEmpty = list.version === 0 && list.bindings.length === 0;
      if (isEmpty && this.copy.find(key) === undefined) return list;
      const entry = this.copy.store(key, { ...list, at: startedAt, readAt: startedAt }, startedAt, startedIn);
      return bindingsAt(entry, this.deps.now());
    });
  }

  // ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves after COMMIT, when no node can use what was before. */
  async commit(change: PlannedChange): Promise<CommitOutcome> {
    if (this.health.hasFailed) throw this.unavailable();
    const { outcome, announced } = await this.commits.add(change);
    if (outcome === "committed") await announced;
    return outcome;
  }

  /**
   * Before a 200 OK to a REGISTER that changes nothing: another node may have committed it and died before it told the peers. Resolves when no
   * node can use what was before these bindings.
   */
  async confirm(aor: Aor, { version, bindings }: AorBindings): Promise<void> {
    await this.announcements.add({ aor, version, age: this.ageOf(aor), bindings });
  }

  private async commitBatch(changes: readonly PlannedChange[]): Promise<readonly CommittedChange[]> {
    const startedAt = this.deps.now();
    const startedIn = this.copy.epoch;
    let outcomes: readonly CommitOutcome[];
    try {
      outcomes = await commitFirstOfEach(this.store, changes);
    } catch (error) {
      if (error instanceof StoreUnavailable) this.health.suspect();
      this.outdate(changes);
      throw error;
    }
    const committed = changes.filter((_, i) => outcomes[i] === "committed");
    this.outdate(changes.filter((_, i) => outcomes[i] !== "committed"));
    // The own copy gets what the peers get: the decoded texts keep no part of a message alive
    const parts = encodeChanges(committed.map((change) => this.announcementOf(change)));
    for (const part of parts)
      for (const change of decodeChanges(part) ?? []) this.applyOwn(change, startedAt, startedIn);
    const announced = Promise.all(parts.map((part) => this.deps.protocol.announce(part)));
    return outcomes.map((outcome) => ({ outcome, announced }));
  }

  private announcementOf({ aor, version, bindings, others }: PlannedChange): AnnouncedChange {
    const age = this.ageOf(aor);
    if (others === undefined) return { aor, version: version + 1, age, bindings: undefined };
    const refreshedAt = this.deps.epoch() + this.databaseAhead;
    const changed = bindings.map((binding) => ({
      ...binding,
      expiresIn: Math.floor(binding.expiresIn),
      registeredAt: binding.registeredAt || refreshedAt,
      refreshedAt,
    }));
    return { aor, version: version + 1, age, bindings: [...others, ...changed] };
  }

  private applyOwn({ aor, version, age, bindings }: AnnouncedChange, startedAt: Ms, startedIn: number): void {
    const key = aorText(aor);
    if (bindings === undefined) this.outdateAnnounced(key, version);
    else
      this.copy.store(
        key,
        { version, bindings, at: startedAt, readAt: startedAt - age },
        startedAt,
        startedIn,
      );
  }

  private outdateAnnounced(key: string, version: number): void {
    this.copy.outdate(key, version);
    this.copy.distrustReads(this.deps.now());
  }

  /** What these addresses of record have is not known: they are read again before they are used. */
  private outdate(changes: readonly PlannedChange[]): void {
    for (const { aor, version } of changes) this.copy.outdate(aorText(aor), version + 1);
  }

  private async announceBatch(changes: readonly AnnouncedChange[]): Promise<undefined[]> {
    await Promise.all(encodeChanges(changes).map((part) => this.deps.protocol.announce(part)));
    return changes.map(() => undefined);
  }

  /** How long ago the rows were read that this node knows of the address of record. */
  private ageOf(aor: Aor): Ms {
    const entry = this.copy.find(aorText(aor));
    return entry === undefined ? 0 : Math.max(0, this.deps.now() - entry.readAt);
  }

  // ── The copies of other nodes ────────────────────────────────────────────────────────────────────────────────────────────

  apply(bytes: Uint8Array): void {
    const changes = decodeChanges(bytes);
    if (changes === undefined) return this.distrust();
    const now = this.deps.now();
    for (const { aor, version, age, bindings } of changes) {
      const key = aorText(aor);
      if (bindings === undefined) this.outdateAnnounced(key, version);
      else this.copy.applyChange(key, { version, bindings, at: now, readAt: now - age }, now);
    }
  }

  distrust(): void {
    this.copy.distrust();
  }

  // ── The start of a node ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads all domains, users, aliases and bindings, page by page. Ends at the time limit, or when the copy is full. Rejects when a page cannot be
   * read. The rest is read when it is needed.
   */
  async warm(timeLimit: Ms): Promise<void> {
    const end = this.deps.now() + timeLimit;
    for (const kind of ["domains", "users", "aliases"] as const) await this.warmKind(kind, end);
  }

  private async warmKind(kind: NameKind, end: Ms): Promise<void> {
    let after: Aor = { username: "", domain: "" };
    while (this.deps.now() < end && this.names.size + pageSize <= this.deps.maxCopied) {
      const names = await this.store.names(kind, after, pageSize);
      const last = names[names.length - 1];
      if (last === undefined) return;
      after = last;
      const page = names.map(({ username, domain }) => ({ username, domain: domain.toLowerCase() }));
      await Promise.all([this.readNames(page), ...(kind === "users" ? [this.readBindings(page)] : [])]);
    }
  }

  // ── The database from time to time ───────────────────────────────────────────────────────────────────────────────────────

  /** Polls the database, and answers from the copy what waits for a database that is away. Called in every tick. */
  advance(now: Ms): void {
    if (this.health.advance(now)) void this.poll(now);
    if (this.health.isAway) for (const lookup of this.waiting) lookup.fallBack();
  }

  private async poll(startedAt: Ms): Promise<void> {
    this.polls += 1;
    try {
      const found = await this.store.accountChanges(this.polls % pollsPerTableCheck === 1);
      this.databaseAhead = found.databaseNow - this.deps.epoch();
      const moved = this.accounts.update(found, startedAt);
      const wasAway = this.health.answered();
      if (wasAway || moved !== "no") this.names.distrust();
      // The operator removes bindings too, for example those of a user with a new password
      if (wasAway || moved === "operator") this.copy.distrust();
    } catch (error) {
      // Another error than an outage, such as a missing permission: the server answers, and nothing is proven
      if (error instanceof StoreUnavailable) this.health.failed(error, this.deps.now());
      else if (this.health.answered()) this.distrustAll();
    }
  }

  private distrustAll(): void {
    this.names.distrust();
    this.copy.distrust();
  }
}

// `username` and `domain` are CHAR(64)
const isStorable = (name: Aor): boolean => name.username.length <= 64 && name.domain.length <= 64;
