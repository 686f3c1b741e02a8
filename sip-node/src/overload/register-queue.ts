/**
 * REGISTERs that wait for their turn. A flood of them never starves calls: they start at the rate that `load-monitor.ts` grants, and only a
 * limited number is under way at the same time, so that the look-ups of calls do not wait behind them in the database's queue.
 *
 *   REGISTER ─┬─ the queue is empty and the rate is not used up ──► starts at once
 *             └─ waits: known phones and strangers in separate lines ──► advance: three known phones, then one stranger
 *
 * The queue is bounded. A known phone displaces the stranger that waits longest. A REGISTER that waited for a second is dropped: its phone has
 * sent it again (RFC 3261 §17.1.2). Pure.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { LoadMonitor } from "./load-monitor.ts";

export interface WaitingRegister {
  readonly datagram: string;
  readonly flow: Flow;
  readonly isKnown: boolean;
  readonly at: Ms;
}

const maxWait: Ms = 1_000;
/** The burst of the rate: what arrives between two calls of `advance`. */
const burst: Ms = 20;
const leastBurst = 4;

export interface RegisterQueueLimits {
  readonly maxQueue: number;
  /** REGISTERs that wait for the database. */
  readonly maxUnderWay: number;
}

export class RegisterQueue {
  /** REGISTERs that were dropped because the queue was full, or because they waited too long. */
  dropped = 0;
  private readonly known = new Line();
  private readonly strangers = new Line();
  private readonly load: LoadMonitor;
  private readonly limits: RegisterQueueLimits;
  private underWay = 0;
  private tokens = Number.POSITIVE_INFINITY; // the first call limits them to a burst
  private refilledAt: Ms;
  private turn = 0;

  constructor(
    load: LoadMonitor,
    now: Ms,
    limits: RegisterQueueLimits = { maxQueue: 4_096, maxUnderWay: 1_000 },
  ) {
    this.load = load;
    this.limits = limits;
    this.refilledAt = now;
  }

  get size(): number {
    return this.known.size + this.strangers.size;
  }

  /** True: the caller starts it now. False: it waits, or was dropped. */
  mayStart(datagram: string, flow: Flow, isKnown: boolean, now: Ms): boolean {
    if (this.size === 0 && this.takeToken(now)) return true;
    if (this.size >= this.limits.maxQueue) {
      this.dropped += 1;
      if (!isKnown || this.strangers.take() === undefined) return false;
    }
    (isKnown ? this.known : this.strangers).add({ datagram, flow, isKnown, at: now });
    return false;
  }

  /** Starts those whose turn it is. */
  advance(now: Ms, start: (register: WaitingRegister) => void): void {
    this.dropExpired(this.known, now);
    this.dropExpired(this.strangers, now);
    while (this.size > 0 && this.takeToken(now)) {
      const next = this.next();
      if (next !== undefined) start(next);
    }
  }

  /** A REGISTER begins to wait for the database. */
  begin(): void {
    this.underWay += 1;
  }

  end(): void {
    this.underWay -= 1;
  }

  private next(): WaitingRegister | undefined {
    this.turn = (this.turn + 1) % 4;
    return this.turn === 0
      ? (this.strangers.take() ?? this.known.take())
      : (this.known.take() ?? this.strangers.take());
  }

  private takeToken(now: Ms): boolean {
    const { registerRate } = this.load;
    const most = Math.max(leastBurst, (registerRate * burst) / 1000);
    this.tokens = Math.min(most, this.tokens + ((now - this.refilledAt) * registerRate) / 1000);
    this.refilledAt = now;
    if (this.tokens < 1 || this.underWay >= this.limits.maxUnderWay) return false;
    this.tokens -= 1;
    this.load.registerStarted();
    return true;
  }

  private dropExpired(line: Line, now: Ms): void {
    for (let first = line.first; first !== undefined && now - first.at >= maxWait; first = line.first) {
      line.take();
      this.dropped += 1;
    }
  }
}

/** First in, first out, without moving the others. */
class Line {
  private items: (WaitingRegister | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  get first(): WaitingRegister | undefined {
    return this.items[this.head];
  }

  add(item: WaitingRegister): void {
    this.items.push(item);
  }

  take(): WaitingRegister | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
