/**
 * Look-ups of bindings (docs/adr/0045): from the copy while the protocol between the nodes says that it is current, otherwise from the
 * database.
 */
import type { Ms } from "../wire/units.ts";
import { keepUntilRefreshed } from "./after-outage.ts";
import { type Account, type Aor, aorText } from "./account.ts";
import { runDistinct } from "./batches.ts";
import { type AorBindings, type Binding, noBindings } from "./binding.ts";
import { type BindingCopy, bindingsAt, type CopyEntry } from "./binding-copy.ts";
import type { Coalesce, Coalescer } from "./coalescer.ts";
import type { CopyProtocol } from "./copy-protocol.ts";
import type { DatabaseReads } from "./database-reads.ts";
import type { LocationStore } from "./location-store.ts";

export interface BindingLookupsDependencies {
  readonly store: LocationStore;
  readonly reads: DatabaseReads;
  readonly coalesce: Coalesce;
  readonly copy: BindingCopy;
  readonly protocol: Pick<CopyProtocol, "isCurrent">;
  readonly users: {
    isUser(aor: Aor): boolean;
    userOfAlias(aor: Aor): Account | undefined;
    provenUserOfAlias(aor: Aor, now: Ms): Account | undefined;
  };
  /** Monotonic. */
  now(): Ms;
}

const readLimits = { maxBatch: 64, maxRunning: 2, maxQueue: 10_000 };

export class BindingLookups {
  private readonly deps: BindingLookupsDependencies;
  private readonly lists: Coalescer<Aor, AorBindings>;
  private readonly byId: Coalescer<string, Binding | undefined>;

  constructor(deps: BindingLookupsDependencies) {
    this.deps = deps;
    this.lists = deps.coalesce(
      (aors) => runDistinct(aors, aorText, (distinct) => this.readBindings(distinct)),
      readLimits,
    );
    this.byId = deps.coalesce((ids) => deps.store.bindingsById(ids), readLimits);
  }

  bindings(aor: Aor): Promise<AorBindings> {
    const key = aorText(aor);
    const now = this.deps.now();
    const entry = this.deps.copy.find(key);
    if (entry !== undefined && this.isCurrent(entry, now))
      return this.deps.reads.answerCopied("bindings", bindingsAt(entry, now));
    // The bindings of an alias are those of the user
    if (this.deps.users.provenUserOfAlias(aor, now) !== undefined)
      return this.deps.reads.answerCopied("bindings", noBindings);
    return this.deps.reads.read(
      "bindings",
      () => this.lists.add(aor),
      () => this.bindingsWhileAway(aor, key),
    );
  }

  bindingById(id: string): Promise<Binding | undefined> {
    const now = this.deps.now();
    const entry = this.deps.copy.findById(id);
    const find = (one: CopyEntry, at: Ms) =>
      bindingsAt(one, at).bindings.find((binding) => binding.id === id);
    if (entry !== undefined && this.isCurrent(entry, now))
      return this.deps.reads.answerCopied("binding", find(entry, now));
    return this.deps.reads.read(
      "binding",
      () => this.byId.add(id),
      () => {
        const known = this.deps.copy.findById(id);
        return known === undefined
          ? undefined
          : find(known, this.deps.reads.health.expiryTime(this.deps.now()));
      },
    );
  }

  /**
   * Reads the bindings of these users from the database into the copy. Of a user that has never registered, the empty list is kept; a name that
   * may be no user's gets no entry, so a stranger cannot fill the copy.
   */
  async readBindings(aors: readonly Aor[]): Promise<readonly AorBindings[]> {
    const startedAt = this.deps.now();
    const startedIn = this.deps.copy.epoch;
    const found = await this.deps.store.bindings(aors);
    return aors.map((aor, i) => {
      const list = found[i] as AorBindings;
      const key = aorText(aor);
      const isEmpty = list.version === 0 && list.bindings.length === 0;
      if (isEmpty && !this.deps.users.isUser(aor) && this.deps.copy.find(key) === undefined) return list;
      return bindingsAt(this.store(key, list, startedAt, startedIn), this.deps.now());
    });
  }

  /** Reads the bindings of these users into the copy. `isPage`: as in `LocationStore.bindings`. */
  async readUsers(users: readonly Aor[], isPage: boolean): Promise<void> {
    const startedAt = this.deps.now();
    const startedIn = this.deps.copy.epoch;
    const found = await this.deps.store.bindings(users, isPage);
    users.forEach((user, i) => this.store(aorText(user), found[i] as AorBindings, startedAt, startedIn));
  }

  /** What a read found that began at `startedAt` in `startedIn`. */
  private store(key: string, found: AorBindings, startedAt: Ms, startedIn: number): CopyEntry {
    const { copy, reads } = this.deps;
    const list = keepUntilRefreshed(found, copy.find(key), reads.health.recovery(startedAt));
    return copy.store(key, { ...list, at: startedAt, readAt: startedAt }, startedAt, startedIn);
  }

  private isCurrent(entry: CopyEntry, now: Ms): boolean {
    return this.deps.copy.isTrusted(entry, now) && this.deps.protocol.isCurrent();
  }

  private bindingsWhileAway(aor: Aor, key: string): AorBindings | undefined {
    const entry = this.deps.copy.find(key);
    if (entry !== undefined) return bindingsAt(entry, this.deps.reads.health.expiryTime(this.deps.now()));
    return this.deps.users.userOfAlias(aor) === undefined ? undefined : noBindings;
  }
}
