/**
 * Which node heard which flow last (design-sip, "Words"): only that node can send to the phone through its address translator. Soft
 * state, bounded: what is forgotten is asked for again.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";

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
}

/** Refreshing an entry's place in the order of age costs two map operations; once in this time is often enough. */
const reorderAfter: Ms = 10_000;

export class FlowDirectory {
  private readonly flows = new Map<string, HeardFlow>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.flows.size;
  }

  get(key: string): HeardFlow | undefined {
    return this.flows.get(key);
  }

  /** Notes that `owner` heard the flow at `now`. */
  note(flow: Flow, owner: string, now: Ms): HeardFlow {
    const known = this.flows.get(flow.key);
    if (known === undefined)
      return this.add({
        flow,
        owner,
        heardAt: now,
        contestedUntil: 0,
        introduction: undefined,
        servedAt: undefined,
        isOutside: false,
      });
    if (now - known.heardAt > reorderAfter) {
      this.flows.delete(flow.key);
      this.flows.set(flow.key, known);
    }
    known.owner = owner;
    known.heardAt = now;
    return known;
  }

  all(): IterableIterator<HeardFlow> {
    return this.flows.values();
  }

  private add(heard: HeardFlow): HeardFlow {
    this.flows.set(heard.flow.key, heard);
    if (this.flows.size > this.limit) {
      const oldest = this.flows.keys().next();
      if (oldest.done !== true) this.flows.delete(oldest.value);
    }
    return heard;
  }
}
