/**
 * Look-ups of users, aliases and domains (docs/adr/0045): from the copy while no row of a user can have changed since it was read, otherwise
 * from the database.
 */
import type { Ms } from "../wire/units.ts";
import { isAscii } from "../wire/wire-text.ts";
import { type AccountChanges, type AccountsMoved, AccountsState } from "./account-changes.ts";
import { type Account, type Aor, aorText, isSameAor, type Resolution } from "./account.ts";
import { runDistinct } from "./batches.ts";
import type { Coalesce, Coalescer } from "./coalescer.ts";
import type { DatabaseReads } from "./database-reads.ts";
import type { LocationStore } from "./location-store.ts";
import { ResolutionCopy, type ResolutionEntry } from "./resolution-copy.ts";

export interface UserLookupsDependencies {
  readonly store: LocationStore;
  readonly reads: DatabaseReads;
  readonly coalesce: Coalesce;
  /** Monotonic. */
  now(): Ms;
  /** The largest number of names in the copy. */
  readonly maxCopied: number;
  /** This user was deleted, or its name belongs to another user now. */
  removed(user: Account): void;
}

const readLimits = { maxBatch: 64, maxRunning: 2, maxQueue: 10_000 };
const refreshLimits = { maxBatch: 64, maxRunning: 1, maxQueue: 1_000 };

export class UserLookups {
  readonly copy: ResolutionCopy;
  private readonly deps: UserLookupsDependencies;
  private readonly state = new AccountsState();
  private readonly resolutions: Coalescer<Aor, Resolution>;
  private readonly refreshes: Coalescer<Aor, Resolution>;

  constructor(deps: UserLookupsDependencies) {
    this.deps = deps;
    this.copy = new ResolutionCopy(deps.maxCopied);
    const run = (names: readonly Aor[]) =>
      runDistinct(names, aorText, (distinct) => this.readNames(distinct));
    this.resolutions = deps.coalesce(run, readLimits);
    this.refreshes = deps.coalesce(run, refreshLimits);
  }

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
      const entry = this.copy.find(aorText({ username, domain }));
      return entry !== undefined && this.isProven(entry, now);
    };
    const domain = { username: "", domain: name.domain };
    return this.resolve(isCopied(domain) && !isCopied(name) ? domain : name);
  }

  /**
   * A name that the copy does not have was read for this request, so a wrong password takes one read whether the user exists or not. All wrong
   * passwords share one statement at a time, in which each user is once.
   */
  async refresh(names: readonly Aor[]): Promise<boolean> {
    const known = names.filter((name) => this.copy.find(aorText(name)) !== undefined);
    if (known.length === 0 || this.deps.reads.health.isAway) return false;
    const before = known.map((name) => JSON.stringify(this.copy.find(aorText(name))?.resolution));
    try {
      const found = await Promise.all(known.map((name) => this.refreshes.add(name)));
      return found.some((resolution, i) => JSON.stringify(resolution) !== before[i]);
    } catch {
      return false;
    }
  }

  /** Whether the copy has a user of this name, which is no alias. */
  isUser(aor: Aor): boolean {
    return isSameAor(aor, this.copy.find(aorText(aor))?.resolution.account);
  }

  /** The user that an alias names; undefined: it is not known that the name is an alias. */
  userOfAlias(aor: Aor): Account | undefined {
    const account = this.copy.find(aorText(aor))?.resolution.account;
    return account !== undefined && !isSameAor(aor, account) ? account : undefined;
  }

  /** As `userOfAlias`, and it is so in the database now. */
  provenUserOfAlias(aor: Aor, now: Ms): Account | undefined {
    const entry = this.copy.find(aorText(aor));
    return entry !== undefined && this.isProven(entry, now) ? this.userOfAlias(aor) : undefined;
  }

  /** What a poll of the database that began at `startedAt` found. Returns what moved since the last one. */
  update(found: AccountChanges, startedAt: Ms): AccountsMoved {
    return this.state.update(found, startedAt);
  }

  /** Reads these names from the database into the copy. `isPage`: as in `LocationStore.resolve`. */
  async readNames(names: readonly Aor[], isPage = false): Promise<readonly Resolution[]> {
    const startedAt = this.deps.now();
    const startedIn = this.copy.epoch;
    const found = await this.deps.store.resolve(names, isPage);
    names.forEach((name, i) => {
      const former = this.copy.store(name, found[i] as Resolution, startedAt, startedIn);
      if (former !== undefined) this.deps.removed(former);
    });
    return found;
  }

  private resolveStorable(name: Aor): Promise<Resolution> {
    const key = aorText(name);
    const entry = this.copy.find(key);
    if (entry !== undefined && this.isProven(entry, this.deps.now()))
      return this.deps.reads.answerCopied("user", entry.resolution);
    return this.deps.reads.read(
      "user",
      () => this.resolutions.add(name),
      () => this.copy.find(key)?.resolution,
    );
  }

  /** A name that no row can hold has no account, but its domain may be served. */
  private async resolveDomain(domain: string): Promise<Resolution> {
    if (domain.length > 64) return { domain: undefined, account: undefined };
    const { domain: served } = await this.resolveStorable({ username: "", domain });
    return { domain: served, account: undefined };
  }

  private isProven({ epoch, readAt }: ResolutionEntry, now: Ms): boolean {
    return epoch === this.copy.epoch && this.state.isProven(readAt, now);
  }
}

// `username` and `domain` are CHAR(64)
const isStorable = (name: Aor): boolean => name.username.length <= 64 && name.domain.length <= 64;
