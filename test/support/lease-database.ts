/**
 * The database of `lease-world.ts`: the rows of the nodes and the version of each address of record. Statements are executed one after the
 * other, at some time between the call and its answer. A commit locks the row of its node. Answers can be lost, and a client can be cut off.
 */
import type { LeaseNode } from "./lease-node.ts";
import type { LeaseWorld } from "./lease-world.ts";

interface NodeRow {
  isGone: boolean;
  beatAt: number;
  lockedBy: symbol | undefined;
}

/** Shorter than in `adapters/mysql/node-table.ts`, so that it happens often. It must be longer than a list is valid. */
const staleAfter = 3_000;

export class LeaseDatabase {
  readonly rows = new Map<string, NodeRow>();
  readonly versions = new Map<string, number>();
  /** An answer was delivered, so promises have to settle. */
  hasAnswered = false;
  readonly #world: LeaseWorld;
  /** Until when statements of a node hang. */
  readonly #hung = new Map<string, number>();

  constructor(world: LeaseWorld) {
    this.#world = world;
  }

  hang(node: string, duration: number): void {
    this.#hung.set(node, this.#world.now + duration);
  }

  async settle(): Promise<void> {
    this.hasAnswered = false;
    await new Promise((settled) => setImmediate(settled));
  }

  /** Runs `act` once, or again and again while it returns "locked". Rejects if the answer is lost. */
  statement<T>(node: LeaseNode, act: () => T | "locked"): Promise<Exclude<T, "locked">> {
    const world = this.#world;
    const delay = () => 0.2 + world.amount(world.chance(3) ? 2_500 : 20);
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void) =>
        world.after(Math.max(delay(), (this.#hung.get(node.id) ?? 0) - world.now), () =>
          node.deliver("answer", () => {
            this.hasAnswered = true;
            settle();
          }),
        );
      const execute = (attempts: number) => {
        const result = act();
        if (result === "locked" && attempts > 0) return world.after(50, () => execute(attempts - 1));
        if (result === "locked" || world.chance(1)) return answer(() => reject(new Error("lost")));
        answer(() => resolve(result as Exclude<T, "locked">));
      };
      world.after(Math.max(delay(), (this.#hung.get(node.id) ?? 0) - world.now), () => execute(40));
    });
  }

  // ── The rows of the nodes ────────────────────────────────────────────────────────────────────────────────────────────────

  join = (id: string) => () => {
    const row = this.rows.get(id);
    if (row?.lockedBy !== undefined) return "locked";
    if (row?.isGone === true) this.#world.counts.rejoined += 1;
    this.rows.set(id, { isGone: false, beatAt: this.#world.now, lockedBy: undefined });
    return undefined;
  };

  beat = (id: string) => () => {
    const row = this.rows.get(id);
    if (row === undefined || row.isGone) return undefined;
    if (row.lockedBy !== undefined) return "locked";
    row.beatAt = this.#world.now;
    return undefined;
  };

  list = () =>
    [...this.rows].map(([id, { isGone, beatAt }]) => ({
      ...{ id, address: { host: id, port: 1 }, isGone },
      isStale: !isGone && this.#world.now - beatAt > staleAfter,
    }));

  markGone = (id: string) => () => {
    const row = this.rows.get(id);
    if (row === undefined || row.isGone || this.#world.now - row.beatAt <= staleAfter) return undefined;
    if (row.lockedBy !== undefined) return "locked";
    row.isGone = true;
    this.#world.log(`${id} is marked gone`);
    return undefined;
  };

  remove = (id: string) => () => {
    if (this.rows.get(id)?.lockedBy !== undefined) return "locked";
    this.rows.delete(id);
    return undefined;
  };

  // ── Commits ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Locks the row of the node. False: it is marked gone or missing. A client that dies releases its lock after some time. */
  lock = (node: LeaseNode, transaction: symbol) => () => {
    const row = this.rows.get(node.id);
    if (row === undefined || row.isGone) return false;
    if (row.lockedBy !== undefined) return "locked";
    row.lockedBy = transaction;
    this.#releaseWhenDead(node, transaction);
    return true;
  };

  unlock(id: string, transaction: symbol): void {
    const row = this.rows.get(id);
    if (row?.lockedBy === transaction) row.lockedBy = undefined;
  }

  /** Raises the version, if it is still the planned one, and releases the lock. */
  commit = (id: string, transaction: symbol, aor: string, planned: number) => () => {
    if (this.rows.get(id)?.lockedBy !== transaction) return "lost";
    this.unlock(id, transaction);
    if ((this.versions.get(aor) ?? 0) !== planned) return "conflict";
    this.versions.set(aor, planned + 1);
    this.#world.log(`${id} commits ${aor} ${planned + 1}`);
    return "committed";
  };

  version = (aor: string) => () => this.versions.get(aor) ?? 0;

  #releaseWhenDead(node: LeaseNode, transaction: symbol): void {
    if (this.rows.get(node.id)?.lockedBy !== transaction) return;
    if (node.isDead) this.unlock(node.id, transaction);
    else this.#world.after(500, () => this.#releaseWhenDead(node, transaction));
  }
}
