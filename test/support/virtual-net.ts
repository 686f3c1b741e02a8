/**
 * Time and datagrams in memory, for whole nodes and phones: nothing happens but at a time of the virtual clock, in an order that is
 * always the same. Rules lose, double and delay datagrams.
 */
import type { Ms } from "../../sip-node/src/wire/units.ts";

export interface Datagram {
  /** `address:port` */
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
  readonly text: string;
  readonly at: Ms;
}

/** How much later than usual each copy arrives: `[]` is lost, `[0, 30]` comes twice. */
export type Fate = readonly Ms[];
/** The first rule that says something about a datagram decides. */
export type Rule = (datagram: Datagram) => Fate | undefined;
export type Stop = () => void;

export class VirtualNet {
  now: Ms = 1_000_000;
  readonly rules: Rule[] = [];
  /** Every datagram sent so far, lost ones too. */
  readonly sent: Datagram[] = [];
  /** Hears of every step of the clock. */
  onTime: (now: Ms) => void = () => {};
  readonly #places = new Map<string, (datagram: Datagram) => void>();
  #events: { readonly at: Ms; act: () => void }[] = [];

  attach(place: string, receive: (datagram: Datagram) => void): void {
    this.#places.set(place, receive);
  }

  /** Datagrams for this place vanish from now on. */
  detach(place: string): void {
    this.#places.delete(place);
  }

  send(from: string, to: string, bytes: Uint8Array | string, latency: Ms = 5): void {
    const copy = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
    const datagram = { from, to, bytes: copy, text: copy.toString("latin1"), at: this.now };
    this.sent.push(datagram);
    for (const late of this.#fateOf(datagram))
      this.after(latency + late, () => this.#places.get(to)?.(datagram));
  }

  /** Loses the next `count` datagrams that fit. */
  lose(fits: (datagram: Datagram) => boolean, count = 1): void {
    let left = count;
    this.rules.push((datagram) => (left > 0 && fits(datagram) && left-- > 0 ? [] : undefined));
  }

  after(delay: Ms, act: () => void): Stop {
    const event = { at: this.now + delay, act };
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.at ?? 0) <= event.at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
    return () => {
      event.act = () => {};
    };
  }

  every(interval: Ms, act: () => void): void {
    this.after(interval, () => {
      act();
      this.every(interval, act);
    });
  }

  async pass(ms: Ms): Promise<void> {
    const end = this.now + ms;
    while (await this.#step(end));
    this.#set(end);
  }

  /** Lets time pass until the condition holds; throws when it does not hold in time. */
  async until(what: string, condition: () => boolean, within: Ms = 10_000): Promise<void> {
    const end = this.now + within;
    while (!condition())
      if (!(await this.#step(end))) throw new Error(`${what}: not within ${within} ms of virtual time`);
  }

  /** What happens at the next point in time, with all promises that it settles; false when nothing does before `end`. */
  async #step(end: Ms): Promise<boolean> {
    const at = this.#events[0]?.at;
    if (at === undefined || at > end) return false;
    this.#set(at);
    while (this.#events[0]?.at === at) this.#events.shift()?.act();
    await new Promise((done) => setImmediate(done));
    return true;
  }

  #set(now: Ms): void {
    this.now = now;
    this.onTime(now);
  }

  #fateOf(datagram: Datagram): Fate {
    for (const rule of this.rules) {
      const fate = rule(datagram);
      if (fate !== undefined) return fate;
    }
    return [0];
  }
}
