/**
 * A network and a clock in memory, for whole nodes and phones. Every event has a time of the virtual clock, and the order of events is always
 * the same. Rules lose, duplicate and delay datagrams.
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

/** The additional delay of each copy: `[]`: the datagram is lost; `[0, 30]`: it arrives twice. */
export type Delays = readonly Ms[];
/** Undefined: the rule does not apply. The first rule that applies decides. */
export type Rule = (datagram: Datagram) => Delays | undefined;
export type Stop = () => void;

export class VirtualNet {
  now: Ms = 1_000_000;
  readonly rules: Rule[] = [];
  /** All datagrams so far, lost ones included. */
  readonly sent: Datagram[] = [];
  /** Called at each step of the clock. */
  onTime: (now: Ms) => void = () => {};
  readonly #places = new Map<string, (datagram: Datagram) => void>();
  #events: { readonly at: Ms; act: () => void }[] = [];

  attach(place: string, receive: (datagram: Datagram) => void): void {
    this.#places.set(place, receive);
  }

  /** Datagrams to this place are lost from now on. */
  detach(place: string): void {
    this.#places.delete(place);
  }

  send(from: string, to: string, bytes: Uint8Array | string, latency: Ms = 5): void {
    const copy = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
    const datagram = { from, to, bytes: copy, text: copy.toString("latin1"), at: this.now };
    this.sent.push(datagram);
    for (const delay of this.#delaysOf(datagram))
      this.after(latency + delay, () => this.#places.get(to)?.(datagram));
  }

  /** Loses the next `count` datagrams that match. */
  lose(matches: (datagram: Datagram) => boolean, count = 1): void {
    let remaining = count;
    this.rules.push((datagram) => (remaining > 0 && matches(datagram) && remaining-- > 0 ? [] : undefined));
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

  /** Moves the clock until the condition holds. Throws when it does not hold in time. */
  async until(what: string, condition: () => boolean, within: Ms = 10_000): Promise<void> {
    const end = this.now + within;
    while (!condition())
      if (!(await this.#step(end))) throw new Error(`${what}: not within ${within} ms of virtual time`);
  }

  /** Runs the events of the next point in time and all promises that they settle. Returns false when there is no event before `end`. */
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

  #delaysOf(datagram: Datagram): Delays {
    for (const rule of this.rules) {
      const delays = rule(datagram);
      if (delays !== undefined) return delays;
    }
    return [0];
  }
}
