/**
 * The bindings that this node has in memory (docs/adr/0045): one entry for each address of record, found also by the ids of its bindings. Pure:
 * the caller passes the time and asks the protocol whether the copy is current.
 *
 * An entry is known to be complete up to an epoch. `distrust` begins a new epoch, and an entry of an older one is used only while MySQL is away.
 *
 *   read or own commit, begun in epoch e     the entry has every change before it, so it is of epoch e
 *   change of a peer, entry of epoch e       the entry stays in e: later changes arrive too, or `distrust` is called
 *   change of a peer, no entry               of no epoch: a change that was missed before may be a later one. The next look-up reads it
 */
import type { Ms, Seconds } from "../wire/units.ts";
import type { AorBindings, Binding } from "./binding.ts";
import { flatText } from "../wire/flat-text.ts";

/** Rows that another tool wrote into `location` are seen after this time at the latest. */
export const maxAge: Ms = 300_000;
/** Removed and expired bindings stay for this time, as their rows do (`adapters/mysql/reaper.ts`): they show a replay of a REGISTER. */
const grace: Seconds = 330;
/** An entry with a higher version than a read is the newer one, unless it is older than this: then the database was restored. */
const maxOvertaking: Ms = 10_000;
const noEpoch = -1;

export interface CopyEntry {
  version: number;
  /** `expiresIn` is the remaining time at `at`. */
  bindings: readonly Binding[];
  at: Ms;
  /** When the rows were read from the database that these bindings were made from. */
  readAt: Ms;
  /** When this version was put here. */
  changedAt: Ms;
  epoch: number;
  /** It was used since it was last passed over by an eviction. */
  isUsed: boolean;
}

/** New content of an entry. */
export interface CopiedBindings extends AorBindings {
  /** When `expiresIn` was the remaining time. */
  readonly at: Ms;
  readonly readAt: Ms;
}

export class BindingCopy {
  /** Raised by each `distrust`. */
  epoch = 0;
  evictions = 0;
  private readonly entries = new Map<string, CopyEntry>();
  private readonly entryOfId = new Map<string, CopyEntry>();
  private readonly shared = new SharedTexts();
  private readonly limit: number;
  /** What a read brings that began before is not trusted. */
  private readsProvenAfter: Ms = Number.NEGATIVE_INFINITY;

  /** `limit`: of addresses of record. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.entries.size;
  }

  /** `key`: `aorText` of the address of record. */
  find(key: string): CopyEntry | undefined {
    const entry = this.entries.get(key);
    if (entry !== undefined) entry.isUsed = true;
    return entry;
  }

  /** The entry with a binding of this id. */
  findById(id: string): CopyEntry | undefined {
    return this.entryOfId.get(id);
  }

  /** Whether the entry may be used while the protocol says that the copy is current. */
  isTrusted({ epoch, readAt }: CopyEntry, now: Ms): boolean {
    return epoch === this.epoch && now - readAt < maxAge;
  }

  /** No entry is used until it is read again. */
  distrust(): void {
    this.epoch += 1;
  }

  /**
   * What a read or an own commit found that began at `startedAt` in `startedIn`. Returns the entry with the higher version, which a change of a
   * peer may have put here meanwhile.
   */
  store(key: string, found: CopiedBindings, startedAt: Ms, startedIn: number): CopyEntry {
    const mayBeOutdated = startedAt <= this.readsProvenAfter;
    const epoch = mayBeOutdated ? noEpoch : startedIn;
    const entry = this.entries.get(key);
    if (entry === undefined) return this.insert(key, found, startedAt, epoch);
    const isNewer = entry.version > found.version && entry.changedAt >= startedAt - maxOvertaking;
    const isSame = entry.version === found.version && entry.epoch >= epoch && entry.readAt >= found.readAt;
    if (isNewer || isSame) entry.epoch = Math.max(entry.epoch, epoch);
    else this.replace(entry, found, startedAt, isOlder(entry, found) ? epoch : Math.max(entry.epoch, epoch));
    return entry;
  }

  /** A peer announced this version. An entry with the same or a higher one stays. */
  applyChange(key: string, found: CopiedBindings, now: Ms): void {
    const entry = this.entries.get(key);
    if (entry === undefined) this.insert(key, found, now, noEpoch);
    else if (entry.version < found.version) this.replace(entry, found, now, entry.epoch);
  }

  /** An entry with a lower version is not used until it is read again. */
  outdate(key: string, version: number): void {
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.version < version) entry.epoch = noEpoch;
  }

  /**
   * A version that is not known was announced: a read under way may have begun before it, and an entry for it may not exist. What such reads
   * bring is not trusted.
   */
  distrustReads(now: Ms): void {
    this.readsProvenAfter = Math.max(this.readsProvenAfter, now);
  }

  /** The user does not exist any more. */
  remove(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.forgetIds(entry);
  }

  private insert(key: string, found: CopiedBindings, now: Ms, epoch: number): CopyEntry {
    if (this.entries.size >= this.limit) this.evict();
    const entry: CopyEntry = {
      version: found.version,
      bindings: [],
      at: found.at,
      readAt: found.readAt,
      changedAt: now,
      epoch,
      isUsed: false,
    };
    this.entries.set(flatText(key), entry);
    this.replace(entry, found, now, epoch);
    return entry;
  }

  private replace(entry: CopyEntry, found: CopiedBindings, now: Ms, epoch: number): void {
    this.forgetIds(entry);
    entry.version = found.version;
    entry.bindings = found.bindings.map((binding) => this.shared.compact(binding));
    entry.at = found.at;
    entry.readAt = found.readAt;
    entry.changedAt = now;
    entry.epoch = epoch;
    for (const { id } of entry.bindings) this.entryOfId.set(id, entry);
  }

  private forgetIds(entry: CopyEntry): void {
    for (const { id } of entry.bindings) if (this.entryOfId.get(id) === entry) this.entryOfId.delete(id);
  }

  /**
   * Removes the entry that was not used for the longest time, about: an entry that was used is passed over once. A read that began before the
   * last change of the removed entry must not bring an older version back.
   */
  private evict(): void {
    for (const [key, entry] of this.entries) {
      this.entries.delete(key);
      if (entry.isUsed) {
        entry.isUsed = false;
        this.entries.set(key, entry);
        continue;
      }
      this.forgetIds(entry);
      this.distrustReads(entry.changedAt);
      this.evictions += 1;
      return;
    }
  }
}

/** The database was restored to an earlier state: the entry's epoch says nothing about the rows of now. */
const isOlder = (entry: CopyEntry, found: CopiedBindings): boolean => found.version < entry.version;

/** The bindings of an entry as a read at `now` would return them. */
export function bindingsAt({ version, bindings, at }: CopyEntry, now: Ms): AorBindings {
  const passed: Seconds = Math.max(0, now - at) / 1000;
  const left = bindings.map((binding) => ({
    ...binding,
    expiresIn: Math.ceil(binding.expiresIn - passed),
  }));
  return { version, bindings: left.filter(({ expiresIn }) => expiresIn + grace > 0) };
}

/**
 * Texts that many bindings have are stored once. An entry keeps no part of a message alive: what a REGISTER brought was encoded and decoded
 * before (`change-encoding.ts`).
 */
class SharedTexts {
  private readonly texts = new Map<string, string>();

  compact(binding: Binding): Binding {
    return {
      ...binding,
      userAgent: this.share(binding.userAgent),
      ownerNode: this.share(binding.ownerNode),
    };
  }

  private share(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size < maxSharedTexts) this.texts.set(text, text);
    return text;
  }
}

const maxSharedTexts = 10_000;
