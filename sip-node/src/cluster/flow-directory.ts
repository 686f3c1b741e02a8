/**
 * Which node heard which flow last (design-sip, "Words"): only that node can send to the phone through its address translator. Soft
 * state, bounded: what is forgotten is asked for again.
 *
 * Anybody can send a datagram with any source address, so there are two orders of age (docs/adr/0022):
 *
 *   authenticated   flows of phones that registered, authenticated or are in a dialog     at most 15/16 of all
 *   strangers       all others: whatever sent a datagram                                   what the others leave, at least 1/16
 *
 * Strangers displace strangers, the least recently heard first, and never an authenticated flow. The mark of an authenticated flow ends
 * with its time; then it counts as a stranger when it is heard next, and is the first to go when it is the oldest.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import { type Aged, AgeOrder } from "./age-order.ts";

export interface HeardFlow {
  readonly flow: Flow;
  /** Node id of the owner; "" for a flow that its phone has left. */
  owner: string;
  /** When this node heard it last, or was told so by its owner. */
  heardAt: Ms;
  /** Until then a request on this flow may belong to a transaction of a node that heard it before (rule 4). */
  contestedUntil: Ms;
  /** While peers are asked whether they heard it. */
  introduction: Promise<void> | undefined;
  /** When a peer that drains last handed over a request on it; undefined: never. */
  servedAt: Ms | undefined;
  /** Its address is neither a pod's nor a node's. Known of flows that this node heard. */
  isOutside: boolean;
  /** Until then it is a known phone's; 0: a stranger's. */
  authenticatedUntil: Ms;
}

interface Entry extends HeardFlow, Aged<Entry> {
  /** The order that it stands in. */
  order: AgeOrder<Entry>;
}

/** Part of all places that strangers always have: a phone must be remembered from its datagram to the answer. */
const leastShareOfStrangers = 1 / 16;

export class FlowDirectory {
  private readonly flows = new Map<string, Entry>();
  private readonly authenticated = new AgeOrder<Entry>();
  private readonly strangers = new AgeOrder<Entry>();
  private readonly limit: number;
  private readonly maxAuthenticated: number;

  constructor(limit: number) {
    this.limit = limit;
    this.maxAuthenticated = limit - Math.ceil(limit * leastShareOfStrangers);
  }

  get size(): number {
    return this.flows.size;
  }

  get(key: string): HeardFlow | undefined {
    return this.flows.get(key);
  }

  /** Notes that `owner` heard the flow at `now`. */
  note(flow: Flow, owner: string, now: Ms): HeardFlow {
    const entry = this.flows.get(flow.key) ?? this.create(flow);
    entry.owner = owner;
    entry.heardAt = now;
    this.arrange(entry, now);
    return entry;
  }

  /** A known phone sends from this flow: it counts as such until `until` at least. Nothing where the flow is not remembered. */
  markAuthenticated(key: string, until: Ms, now: Ms): void {
    const entry = this.flows.get(key);
    if (entry === undefined || until <= Math.max(now, entry.authenticatedUntil)) return;
    entry.authenticatedUntil = until;
    if (entry.order !== this.authenticated) this.arrange(entry, now);
  }

  /** Its phone has left the flow, which is a stranger's from now on. */
  leave(flow: Flow, now: Ms): void {
    const known = this.flows.get(flow.key);
    if (known !== undefined) known.authenticatedUntil = 0;
    this.note(flow, "", now);
  }

  all(): IterableIterator<HeardFlow> {
    return this.flows.values();
  }

  private create(flow: Flow): Entry {
    const entry: Entry = {
      flow,
      owner: "",
      heardAt: 0,
      contestedUntil: 0,
      introduction: undefined,
      servedAt: undefined,
      isOutside: false,
      authenticatedUntil: 0,
      order: this.strangers,
      older: undefined,
      younger: undefined,
    };
    this.flows.set(flow.key, entry);
    this.strangers.add(entry);
    return entry;
  }

  /** Puts the entry at the young end of its order, and forgets what is too much. */
  private arrange(entry: Entry, now: Ms): void {
    entry.order.remove(entry);
    entry.order = entry.authenticatedUntil > now ? this.authenticated : this.strangers;
    entry.order.add(entry);
    const { oldest } = this.authenticated;
    if (this.authenticated.size > this.maxAuthenticated) this.forget(oldest);
    else if (this.flows.size > this.limit)
      this.forget(oldest !== undefined && oldest.authenticatedUntil <= now ? oldest : this.strangers.oldest);
  }

  private forget(entry: Entry | undefined): void {
    if (entry === undefined) return;
    entry.order.remove(entry);
    this.flows.delete(entry.flow.key);
  }
}
