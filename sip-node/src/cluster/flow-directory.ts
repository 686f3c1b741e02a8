/**
 * The flows that this node knows, each with its owner: the node that received from it last (design-sip, "Words"). Only the owner can send
 * to the phone through its address translator. This is soft state of limited size: a node asks its peers for the owner of a flow that it
 * forgot.
 *
 * Anybody can send a datagram with any source address, so there are two lists in the order of last use (docs/adr/0022):
 *
 *   authenticated     flows of phones that registered, authenticated or are in a dialog     at most 15/16 of all
 *   unauthenticated   all other flows                                                       the remaining places, at least 1/16
 *
 * An unauthenticated flow displaces the oldest unauthenticated flow, never an authenticated one. A flow is authenticated for a limited time.
 * After it, the flow counts as unauthenticated from its next datagram on. Until then it is the first one to be forgotten when it is the
 * oldest of its list.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import { type LruLinks, LruList } from "./lru-list.ts";

export interface KnownFlow {
  readonly flow: Flow;
  /** Node id of the owner; "": the phone has left this flow. */
  owner: string;
  /** When the owner last received from it, as far as this node knows. */
  lastReceivedAt: Ms;
  /** Until then a request on this flow may belong to a transaction of its former owner, so peers are asked (rule 4). */
  askPeersUntil: Ms;
  /** Resolves when the peers have answered the announcement of this flow; undefined: none is pending. */
  announcement: Promise<void> | undefined;
  /** When a draining peer last handed over a request on it; undefined: never. */
  handedOverAt: Ms | undefined;
  /** Its address is neither a pod's nor a node's. Known only of flows that this node received from. */
  isOutside: boolean;
  /** Until then it counts as an authenticated phone's flow; 0: it does not. */
  authenticatedUntil: Ms;
}

interface Entry extends KnownFlow, LruLinks<Entry> {
  /** The list that it is in. */
  list: LruList<Entry>;
}

/** The part of all places that is reserved for unauthenticated flows: a phone must be known from its first datagram to the answer. */
const unauthenticatedShare = 1 / 16;

export class FlowDirectory {
  private readonly flows = new Map<string, Entry>();
  private readonly authenticated = new LruList<Entry>();
  private readonly unauthenticated = new LruList<Entry>();
  /** The flow that was found last: a datagram asks for its flow several times, one after the other. */
  private last: Entry | undefined;
  private readonly limit: number;
  private readonly maxAuthenticated: number;

  constructor(limit: number) {
    this.limit = limit;
    this.maxAuthenticated = limit - Math.ceil(limit * unauthenticatedShare);
  }

  get size(): number {
    return this.flows.size;
  }

  get(key: string): KnownFlow | undefined {
    return this.find(key);
  }

  /** Records that `owner` received from the flow at `now`. */
  record(flow: Flow, owner: string, now: Ms): KnownFlow {
    const entry = this.find(flow.key) ?? this.create(flow);
    entry.owner = owner;
    entry.lastReceivedAt = now;
    this.moveToNewest(entry, now);
    return entry;
  }

  /** Marks the flow as an authenticated phone's, at least until `until`. Does nothing when the flow is not known. */
  markAuthenticated(key: string, until: Ms, now: Ms): void {
    const entry = this.find(key);
    if (entry === undefined || until <= Math.max(now, entry.authenticatedUntil)) return;
    entry.authenticatedUntil = until;
    if (entry.list !== this.authenticated) this.moveToNewest(entry, now);
  }

  /** The phone has left the flow. It has no owner and counts as unauthenticated from now on. */
  release(flow: Flow, now: Ms): void {
    const known = this.find(flow.key);
    if (known !== undefined) known.authenticatedUntil = 0;
    this.record(flow, "", now);
  }

  all(): IterableIterator<KnownFlow> {
    return this.flows.values();
  }

  private find(key: string): Entry | undefined {
    if (this.last?.flow.key === key) return this.last;
    const found = this.flows.get(key);
    if (found !== undefined) this.last = found;
    return found;
  }

  private create(flow: Flow): Entry {
    const entry: Entry = {
      flow,
      owner: "",
      lastReceivedAt: 0,
      askPeersUntil: 0,
      announcement: undefined,
      handedOverAt: undefined,
      isOutside: false,
      authenticatedUntil: 0,
      list: this.unauthenticated,
      older: undefined,
      newer: undefined,
    };
    this.flows.set(flow.key, entry);
    this.unauthenticated.add(entry);
    return entry;
  }

  /** Makes the entry the newest of its list, and forgets one flow when there are too many. */
  private moveToNewest(entry: Entry, now: Ms): void {
    entry.list.remove(entry);
    entry.list = entry.authenticatedUntil > now ? this.authenticated : this.unauthenticated;
    entry.list.add(entry);
    const { oldest } = this.authenticated;
    if (this.authenticated.size > this.maxAuthenticated) this.forget(oldest);
    else if (this.flows.size > this.limit)
      this.forget(
        oldest !== undefined && oldest.authenticatedUntil <= now ? oldest : this.unauthenticated.oldest,
      );
  }

  private forget(entry: Entry | undefined): void {
    if (entry === undefined) return;
    entry.list.remove(entry);
    this.flows.delete(entry.flow.key);
    if (this.last === entry) this.last = undefined;
  }
}
