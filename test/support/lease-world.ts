/**
 * A world in which the lease protocol is tested (docs/adr/0044): virtual time with one queue of events, a network, a database, and nodes with
 * their own clocks. All that happens follows from the seed.
 *
 * The oracle: once a 200 OK for version v of an address of record has left, no running node answers from its copy with a version below v.
 */
import type { SeededRandom } from "./seeded-random.ts";
import { LeaseDatabase } from "./lease-database.ts";
import type { LeaseNode } from "./lease-node.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

export class LeaseWorld {
  now = 0;
  readonly random: SeededRandom;
  readonly database: LeaseDatabase;
  readonly nodes: LeaseNode[] = [];
  readonly aors = ["a", "b", "c"];
  /** The highest version of each address of record whose 200 OK has left. */
  readonly acknowledged = new Map<string, number>();
  /** What broke the oracle; undefined: nothing. */
  violation: string | undefined;
  readonly counts = { answers: 0, fromCopy: 0, registered: 0, rejoined: 0, left: 0 };
  /** Directed links, "from>to", and until when they lose everything. */
  readonly #cuts = new Map<string, number>();
  readonly #events: Event[] = [];
  readonly #trace: string[] = [];
  /** Percentages of this run. */
  readonly #loss: number;
  readonly #maxDelay: number;
  #order = 0;

  constructor(random: SeededRandom) {
    this.random = random;
    this.database = new LeaseDatabase(this);
    this.#loss = random.pick([0, 2, 10, 30]);
    this.#maxDelay = random.pick([5, 60, 400, 3_000]);
  }

  /** The last events, for the message of a failure. */
  get trace(): string {
    return this.#trace.slice(-150).join("\n");
  }

  log(what: string): void {
    this.#trace.push(`${Math.round(this.now)} ${what}`);
    if (this.#trace.length > 400) this.#trace.splice(0, 200);
  }

  /** An amount from 0 to `bound`, small ones more often. */
  amount(bound: number): number {
    return (this.random.below(1_000) / 1_000) ** 2 * bound;
  }

  chance(percent: number): boolean {
    return this.random.below(1_000) < percent * 10;
  }

  after(delay: number, act: () => void): void {
    const event = { at: this.now + delay, order: this.#order++, act };
    const events = this.#events;
    let at = events.push(event) - 1;
    for (let parent; at > 0; at = parent) {
      parent = (at - 1) >> 1;
      if (!isBefore(event, events[parent] as Event)) break;
      events[at] = events[parent] as Event;
    }
    events[at] = event;
  }

  /** Runs all events until `end`. Resolves at once when the oracle is broken. */
  async run(end: number): Promise<void> {
    for (let event = this.#next(); event !== undefined && event.at <= end; event = this.#next()) {
      this.now = event.at;
      event.act();
      if (this.database.hasAnswered) await this.database.settle();
      if (this.violation !== undefined) return;
    }
  }

  send(from: LeaseNode, to: string, act: (receiver: LeaseNode) => void): void {
    if (this.chance(this.#loss) || (this.#cuts.get(`${from.id}>${to}`) ?? 0) > this.now) return;
    const deliver = () => {
      const receiver = this.nodes.find(({ id }) => id === to);
      receiver?.deliver("frame", () => act(receiver));
    };
    const late = this.chance(3) ? 10 : 1;
    this.after(0.1 + this.amount(this.#maxDelay) * late, deliver);
    if (this.chance(3)) this.after(0.1 + this.amount(this.#maxDelay) * late * 2, deliver);
  }

  cut(from: string, to: string, duration: number): void {
    this.#cuts.set(`${from}>${to}`, this.now + duration);
  }

  /** A 200 OK left. */
  acknowledge(aor: string, version: number): void {
    this.counts.registered += 1;
    if (version > (this.acknowledged.get(aor) ?? 0)) this.acknowledged.set(aor, version);
    for (const node of this.nodes) this.check(node);
  }

  /** Every answer that this node would give from its copy now is checked. */
  check(node: LeaseNode): void {
    if (!node.isRunning || !node.isCurrent) return;
    for (const aor of this.aors) {
      const version = node.usable(aor);
      if (version === undefined || version >= (this.acknowledged.get(aor) ?? 0)) continue;
      const missing = this.acknowledged.get(aor) ?? 0;
      this.violation ??= `${Math.round(this.now)}: ${node.id} answers version ${version} of ${aor}, and ${missing} is acknowledged`;
    }
  }

  #next(): Event | undefined {
    const events = this.#events;
    const [first] = events;
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1] as Event, events[child] as Event))
        child += 1;
      if (!isBefore(events[child] as Event, last)) break;
      events[at] = events[child] as Event;
      at = child;
    }
    events[at] = last;
    return first;
  }
}

const isBefore = (one: Event, other: Event): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
