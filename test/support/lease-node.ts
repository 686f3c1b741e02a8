/** A node of `lease-world.ts`: the real protocol (`leases/`, `cluster/node-cycle.ts`) with a copy, phones that register, and a life. */
import { NodeCycle } from "../../sip-node/src/cluster/node-cycle.ts";
import { Leases } from "../../sip-node/src/leases/leases.ts";
import type { LeaseWorld } from "./lease-world.ts";

interface Entry {
  readonly version: number;
  /** Usable if it is the epoch of the copy. */
  readonly epoch: number;
}

/** The rules that are not in `leases/`. Each can be broken, to see that the oracle finds it. */
export interface OutsideRules {
  /** A 200 OK to a repeated REGISTER is announced too. */
  readonly isRepeatAnnounced: boolean;
  /** An announced change keeps the epoch of its entry, and a commit has the epoch of its begin. */
  readonly isEpochKept: boolean;
  /** A node that leaves waits for its commits before its farewell. */
  readonly isQuietAtFarewell: boolean;
  /** A node stops using its copy before it tells the others that it has left. */
  readonly isEndedWhenLeft: boolean;
}

export const allRules: OutsideRules = {
  isRepeatAnnounced: true,
  isEpochKept: true,
  isQuietAtFarewell: true,
  isEndedWhenLeft: true,
};

export class LeaseNode {
  readonly id: string;
  readonly leases: Leases;
  isDead = false;
  readonly #world: LeaseWorld;
  readonly #rules: OutsideRules;
  readonly #cycle: NodeCycle;
  readonly #copy = new Map<string, Entry>();
  readonly #known = new Set<string>();
  /** When a frame of a node arrived last. */
  readonly #heard = new Map<string, number>();
  /** Its clock runs at this pace. */
  readonly #pace: number;
  readonly #offset: number;
  /** What arrived while the process is stopped; undefined: it runs. */
  #stopped: { readonly kind: string; readonly act: () => void }[] | undefined;
  #epoch = 0;
  #commits = 0;
  #isLeaving = false;
  #hasFarewell = false;

  constructor(world: LeaseWorld, id: string, rules: OutsideRules) {
    this.id = id;
    this.#world = world;
    this.#rules = rules;
    this.#pace = 0.9 + world.random.below(201) / 1_000;
    this.#offset = world.random.below(1_000_000);
    this.leases = new Leases({
      receiver: { apply: (change) => this.#apply(change), distrust: () => void (this.#epoch += 1) },
      sendChange: (reader, sequence, change) =>
        world.send(this, reader, (receiver) => receiver.#receiveChange(this, sequence, change)),
    });
    this.#cycle = this.#createCycle();
    this.#every(20, () => {
      this.leases.advance(this.clock);
      this.#cycle.advance(this.clock);
    });
    this.#every(500, () => this.#ping());
  }

  get isRunning(): boolean {
    return !this.isDead && this.#stopped === undefined;
  }

  get clock(): number {
    return this.#offset + this.#world.now * this.#pace;
  }

  get isCurrent(): boolean {
    return this.leases.held.isCurrent(this.clock);
  }

  /** The version in the copy; undefined: it must be read. */
  usable(aor: string): number | undefined {
    const entry = this.#copy.get(aor);
    return entry?.epoch === this.#epoch ? entry.version : undefined;
  }

  /** Something arrives at the process. */
  deliver(kind: string, act: () => void): void {
    if (this.isDead) return;
    if (this.#stopped !== undefined) return void this.#stopped.push({ kind, act });
    act();
    this.#world.check(this);
  }

  // ── Its life ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The process is stopped for some time, and then handles what its buffers hold: those of one kind in order. */
  stop(duration: number): void {
    if (!this.isRunning) return;
    this.#world.log(`${this.id} stops for ${Math.round(duration)}`);
    this.#stopped = [];
    this.#world.after(duration, () => {
      const buffered = this.#stopped ?? [];
      this.#stopped = undefined;
      this.#world.check(this);
      const kinds = this.#world.random.pick([
        ["timer", "frame", "answer"],
        ["frame", "answer", "timer"],
        ["answer", "timer", "frame"],
      ]);
      for (const first of kinds)
        for (const { kind, act } of buffered)
          if (kind === first) this.#world.after(0.001, () => this.deliver(kind, act));
    });
  }

  kill(): void {
    this.#world.log(`${this.id} is killed`);
    this.isDead = true;
  }

  /** A clean stop: no more commits, farewell with the last number, the row is deleted. */
  leave(): void {
    if (!this.isRunning || this.#isLeaving) return;
    this.#isLeaving = true;
    this.leases.gate.leave();
    const farewell = () => {
      if (this.#rules.isQuietAtFarewell && this.#commits > 0) return this.#later(10, farewell);
      const final = this.leases.leave();
      this.#hasFarewell = true;
      this.#world.log(`${this.id} leaves after ${final}`);
      for (const delay of [0, 50, 100]) this.#later(delay, () => this.#sayFarewell(final));
      this.#later(150, () => {
        void this.#cycle.remove().catch(() => {});
        this.#later(100, () => this.#sayLeft());
        this.#later(500, () => this.kill());
      });
      this.#world.counts.left += 1;
    };
    farewell();
  }

  /** Its row may not be deleted yet: the database may hang. */
  #sayLeft(): void {
    if (this.#rules.isEndedWhenLeft) this.leases.end();
    this.#world.log(`${this.id} has left`);
    for (const id of this.#known) this.#world.send(this, id, (other) => other.leases.grants.remove(this.id));
  }

  #sayFarewell(final: number): void {
    for (const id of this.leases.grants.askers)
      this.#world.send(this, id, (reader) => {
        const applied = reader.leases.held.receiveFarewell(this.id, final);
        this.#world.log(`${reader.id} hears the farewell of ${this.id} after ${final}, applied ${applied}`);
        this.#world.send(reader, this.id, () => this.leases.grants.resend(reader.id, applied));
      });
  }

  // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #ping(): void {
    for (const id of this.#known) this.#pingOne(id);
  }

  #pingOne(id: string): void {
    if (this.#hasFarewell) return;
    const sentAt = this.clock;
    const question = this.leases.question(id);
    this.#world.send(this, id, (receiver) => {
      receiver.#receiveFrom(this);
      const reply = receiver.leases.reply(this.id, question, receiver.clock);
      this.#world.send(receiver, this.id, () => {
        this.#receiveFrom(receiver);
        if (this.leases.receiveReply(id, reply, sentAt)) this.#pingOne(id);
      });
    });
  }

  #receiveFrom(sender: LeaseNode): void {
    this.#known.add(sender.id);
    this.#heard.set(sender.id, this.clock);
    if (this.leases.held.recordFrame(sender.id, this.clock)) this.#pingOne(sender.id);
  }

  #receiveChange(writer: LeaseNode, sequence: number, change: Uint8Array): void {
    this.#receiveFrom(writer);
    this.leases.held.applyChange(writer.id, sequence, change);
    this.#world.send(this, writer.id, () => writer.leases.grants.acknowledge(this.id, sequence));
  }

  #createCycle(): NodeCycle {
    const { id } = this;
    const { database } = this.#world;
    const run = <T>(act: () => T | "locked") => database.statement(this, act);
    return new NodeCycle(id, {
      directory: {
        join: () => run(database.join(id)),
        beat: () => run(database.beat(id)),
        list: () => run(database.list),
        markGone: async (ids) => {
          for (const other of ids) await run(database.markGone(other));
        },
        remove: () => run(database.remove(id)),
      },
      leases: this.leases,
      now: () => this.clock,
      heartbeat: () => ({
        ...{ id, address: { host: id, port: 1 }, isDraining: false, outsideReceivedAgo: undefined },
        load: { transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 },
      }),
      // As little of the time after which a heartbeat is old as in a real node
      isHeard: (other) => this.clock - (this.#heard.get(other) ?? -Infinity) < 1_000,
      listed: (nodes) => {
        for (const other of nodes) this.#known.add(other.id);
      },
      failed: () => {},
    });
  }

  // ── Phones ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A call to the user: from the copy if possible. */
  async call(aor: string): Promise<void> {
    if (!this.isRunning) return;
    this.#world.counts.answers += 1;
    if (this.isCurrent && this.usable(aor) !== undefined) this.#world.counts.fromCopy += 1;
    else await this.#read(aor);
  }

  /** A phone registers. Without an answer it repeats its request, perhaps through another node. */
  async register(aor: string): Promise<void> {
    if (!this.isRunning) return;
    const version =
      (this.isCurrent ? this.usable(aor) : undefined) ?? (await this.#read(aor).catch(() => undefined));
    if (version === undefined || this.#isLeaving) return;
    const outcome = await this.#commit(aor, version);
    if (outcome === "committed") this.#announce(aor, version + 1);
    if (this.#world.chance(40)) this.#world.after(this.#world.amount(4_000), () => this.#repeat(aor));
  }

  #repeat(aor: string): void {
    const node = this.#world.random.pick(this.#world.nodes);
    node.deliver("frame", () => void node.answerRepeated(aor).catch(() => {}));
  }

  /** A REGISTER that changes nothing: the answer has what the rows say. */
  async answerRepeated(aor: string): Promise<void> {
    if (this.#isLeaving) return;
    const version = (this.isCurrent ? this.usable(aor) : undefined) ?? (await this.#read(aor));
    if (this.#rules.isRepeatAnnounced) this.#announce(aor, version);
    else if (this.isRunning) this.#world.acknowledge(aor, version);
  }

  #announce(aor: string, version: number): void {
    this.#world.log(`${this.id} announces ${this.leases.grants.sequence + 1}: ${aor} ${version}`);
    const change = Buffer.from(`${aor} ${version}`);
    this.leases.announce(change, this.clock, () => {
      this.#world.log(`${this.id} answers 200 for ${aor} ${version}`);
      this.#world.acknowledge(aor, version);
    });
  }

  /** Returns undefined if it is not committed, or nobody knows. */
  async #commit(aor: string, planned: number): Promise<"committed" | undefined> {
    const { database } = this.#world;
    const term = this.leases.gate.openTerm;
    const epoch = this.#epoch;
    if (term === undefined) return undefined;
    this.#commits += 1;
    const transaction = Symbol(aor);
    try {
      if (!(await database.statement(this, database.lock(this, transaction)))) return undefined;
      if (this.leases.gate.openTerm !== term) return void database.unlock(this.id, transaction);
      const commit = database.commit(this.id, transaction, aor, planned);
      const outcome = await database.statement(this, commit);
      if (outcome !== "committed") return undefined;
      this.#store(aor, { version: planned + 1, epoch: this.#rules.isEpochKept ? epoch : this.#epoch });
      return "committed";
    } catch {
      // The answer was lost: another statement finds out, or nobody does
      this.#world.after(300, () => database.unlock(this.id, transaction));
      return undefined;
    } finally {
      // Later than the announcement, which follows in the same turn of the event loop
      setImmediate(() => (this.#commits -= 1));
    }
  }

  async #read(aor: string): Promise<number> {
    const epoch = this.#epoch;
    const { database } = this.#world;
    const version = await database.statement(this, database.version(aor));
    this.#store(aor, { version, epoch });
    this.#world.check(this);
    return Math.max(version, this.#copy.get(aor)?.version ?? 0);
  }

  /** What was read or committed, with the epoch of its begin. */
  #store(aor: string, { version, epoch }: Entry): void {
    const known = this.#copy.get(aor) ?? { version: 0, epoch: -1 };
    this.#copy.set(aor, { version: Math.max(version, known.version), epoch: Math.max(epoch, known.epoch) });
  }

  #apply(change: Uint8Array): void {
    const [aor = "", version] = Buffer.from(change).toString().split(" ");
    const known = this.#copy.get(aor) ?? { version: 0, epoch: -1 };
    if (Number(version) > known.version)
      this.#copy.set(aor, {
        version: Number(version),
        epoch: this.#rules.isEpochKept ? known.epoch : this.#epoch,
      });
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #later(delay: number, act: () => void): void {
    this.#world.after(delay / this.#pace, () => this.deliver("timer", act));
  }

  /** A stopped process gets one call of a timer, however long it was stopped. */
  #every(interval: number, act: () => void): void {
    const next = () =>
      this.#world.after(interval / this.#pace, () =>
        this.deliver("timer", () => {
          act();
          if (!this.isDead) next();
        }),
      );
    next();
  }
}
