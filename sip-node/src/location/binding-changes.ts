/**
 * Changes of bindings (docs/adr/0045): committed together with others, then put into the copies of this node and of its peers. The announcement of
 * one commit does not delay the next commit.
 */
import type { Epoch, Ms } from "../wire/units.ts";
import { type Aor, aorText } from "./account.ts";
import { commitFirstOfEach } from "./batches.ts";
import type { AorBindings, Binding, BindingChange, CommitOutcome } from "./binding.ts";
import type { BindingCopy } from "./binding-copy.ts";
import { type AnnouncedChange, decodeChanges, encodeChanges } from "./change-encoding.ts";
import type { Coalesce, Coalescer } from "./coalescer.ts";
import type { CopyProtocol } from "./copy-protocol.ts";
import type { DatabaseReads } from "./database-reads.ts";
import { type LocationStore, StoreUnavailable } from "./location-store.ts";

/** A change with what else the address of record has: the bindings that the change leaves as they are. Undefined: not known. */
export interface PlannedChange extends BindingChange {
  readonly others?: readonly Binding[];
}

/** `announced`: resolves when the copies of all nodes have the change. */
interface CommittedChange {
  readonly outcome: CommitOutcome;
  readonly announced: Promise<unknown>;
}

export interface BindingChangesDependencies {
  readonly store: LocationStore;
  readonly reads: DatabaseReads;
  readonly coalesce: Coalesce;
  readonly copy: BindingCopy;
  readonly protocol: Pick<CopyProtocol, "announce">;
  /** Monotonic. */
  now(): Ms;
  /** By the database's clock. */
  databaseNow(): Epoch;
}

/**
 * Most of the cost of a commit does not depend on the number of its changes. At 800 REGISTERs/s about ten share one, for about 6 ms more until
 * the 200 OK (docs/adr/0049).
 */
const commitLimits = { maxBatch: 512, maxRunning: 1, maxQueue: 10_000, interval: 12 };
const announceLimits = { maxBatch: 128, maxRunning: 16, maxQueue: 10_000 };

export class BindingChanges {
  private readonly deps: BindingChangesDependencies;
  private readonly commits: Coalescer<PlannedChange, CommittedChange>;
  private readonly announcements: Coalescer<AnnouncedChange, undefined>;

  constructor(deps: BindingChangesDependencies) {
    this.deps = deps;
    this.commits = deps.coalesce((changes) => this.commitBatch(changes), commitLimits);
    this.announcements = deps.coalesce((changes) => this.announceBatch(changes), announceLimits);
  }

  /** Resolves after COMMIT, when no node can use what was before. */
  async commit(change: PlannedChange): Promise<CommitOutcome> {
    if (this.deps.reads.health.hasFailed) throw this.deps.reads.unavailable();
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

  /** A peer announced these changes. */
  apply(bytes: Uint8Array): void {
    const changes = decodeChanges(bytes);
    if (changes === undefined) return this.deps.copy.distrust();
    const now = this.deps.now();
    for (const { aor, version, age, bindings } of changes) {
      const key = aorText(aor);
      if (bindings === undefined) this.outdateAnnounced(key, version);
      else this.deps.copy.applyChange(key, { version, bindings, at: now, readAt: now - age }, now);
    }
  }

  private async commitBatch(changes: readonly PlannedChange[]): Promise<readonly CommittedChange[]> {
    const startedAt = this.deps.now();
    const startedIn = this.deps.copy.epoch;
    let outcomes: readonly CommitOutcome[];
    try {
      outcomes = await commitFirstOfEach(this.deps.store, changes, (change) => this.isOutdated(change));
    } catch (error) {
      if (error instanceof StoreUnavailable) this.deps.reads.health.suspect();
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

  /**
   * A higher version is committed: this change would be refused, and all others of its transaction with it. It was planned while the change
   * before it was being committed.
   */
  private isOutdated({ aor, version }: PlannedChange): boolean {
    return (this.deps.copy.find(aorText(aor))?.version ?? 0) > version;
  }

  private announcementOf({ aor, version, bindings, others }: PlannedChange): AnnouncedChange {
    const age = this.ageOf(aor);
    if (others === undefined) return { aor, version: version + 1, age, bindings: undefined };
    const refreshedAt = this.deps.databaseNow();
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
      this.deps.copy.store(
        key,
        { version, bindings, at: startedAt, readAt: startedAt - age },
        startedAt,
        startedIn,
      );
  }

  private outdateAnnounced(key: string, version: number): void {
    this.deps.copy.outdate(key, version);
    this.deps.copy.distrustReads(this.deps.now());
  }

  /** What these addresses of record have is not known: they are read again before they are used. */
  private outdate(changes: readonly PlannedChange[]): void {
    for (const { aor, version } of changes) this.deps.copy.outdate(aorText(aor), version + 1);
  }

  private async announceBatch(changes: readonly AnnouncedChange[]): Promise<undefined[]> {
    await Promise.all(encodeChanges(changes).map((part) => this.deps.protocol.announce(part)));
    return changes.map(() => undefined);
  }

  /** How long ago the rows were read that this node knows of the address of record. */
  private ageOf(aor: Aor): Ms {
    const entry = this.deps.copy.find(aorText(aor));
    return entry === undefined ? 0 : Math.max(0, this.deps.now() - entry.readAt);
  }
}
