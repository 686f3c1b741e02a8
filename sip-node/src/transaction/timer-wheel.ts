/**
 * One hashed timing wheel for all timers of a node: start and stop are O(1) and allocate nothing.
 *
 *   slot = deadline tick mod size          cursor ──► one step per tick
 *   [0] ⇄ timer ⇄ timer     [1]     [2] ⇄ timer     ...     [4095]
 *
 * The timers of a slot are a circular doubly linked list. A timer whose deadline is more than one turn ahead stays in its slot until that
 * turn. The wheel has no clock: the process calls `advance` every 10 to 50 ms. A timer never fires early; it fires late by at most a tick
 * and the time between two advances.
 */
import type { Ms } from "../wire/units.ts";

/** A timer that can be restarted. `fire` reads `owner` and `event`. */
export class Timer<Owner, Event> {
  readonly owner: Owner;
  event: Event;
  /** The length of its last start; a back-off doubles it. */
  length: Ms = 0;
  /** Tick at which it fires; meaningless while it is not started. */
  tick = 0;
  previous: Timer<Owner, Event> | undefined = undefined;
  next: Timer<Owner, Event> | undefined = undefined;

  constructor(owner: Owner, event: Event) {
    this.owner = owner;
    this.event = event;
  }

  get isRunning(): boolean {
    return this.next !== undefined;
  }
}

export class TimerWheel<Owner, Event> {
  readonly #fire: (timer: Timer<Owner, Event>, now: Ms) => void;
  readonly #resolution: Ms;
  readonly #mask: number;
  readonly #slots: Timer<Owner, Event>[];
  /** Timers that are due and not yet fired; a timer that fires may stop another one. */
  readonly #due: Timer<Owner, Event>;
  #cursor: number;
  #size = 0;

  /** `now`: the clock's reading at the start. `resolution`: length of a tick. `slots`: a power of two. */
  constructor(
    fire: (timer: Timer<Owner, Event>, now: Ms) => void,
    now: Ms,
    resolution: Ms = 10,
    slots = 4096,
  ) {
    this.#fire = fire;
    this.#resolution = resolution;
    this.#mask = slots - 1;
    this.#slots = Array.from({ length: slots }, () => ring<Owner, Event>());
    this.#due = ring();
    this.#cursor = Math.floor(now / resolution);
  }

  /** Timers running. */
  get size(): number {
    return this.#size;
  }

  /** Starts or restarts: fires at the first `advance` at or after `now + length`. */
  start(timer: Timer<Owner, Event>, event: Event, length: Ms, now: Ms): void {
    this.stop(timer);
    timer.event = event;
    timer.length = length;
    timer.tick = Math.max(Math.ceil((now + length) / this.#resolution), this.#cursor + 1);
    link(this.#slots[timer.tick & this.#mask] as Timer<Owner, Event>, timer);
    this.#size++;
  }

  /** Stops a timer; no effect on a timer that is not running. */
  stop(timer: Timer<Owner, Event>): void {
    if (!timer.isRunning) return;
    unlink(timer);
    this.#size--;
  }

  /** Fires the due timers tick by tick; after a pause of more than one turn, each slot is visited once. */
  advance(now: Ms): void {
    const target = Math.floor(now / this.#resolution);
    const from = Math.max(this.#cursor + 1, target - this.#mask);
    for (let tick = from; tick <= target; tick++) this.#collect(this.#slots[tick & this.#mask], target);
    if (target > this.#cursor) this.#cursor = target;
    for (let timer = this.#due.next; timer !== this.#due; timer = this.#due.next) {
      if (timer === undefined) return;
      this.stop(timer);
      this.#fire(timer, now);
    }
  }

  #collect(slot: Timer<Owner, Event> | undefined, target: number): void {
    let timer = slot?.next;
    while (timer !== undefined && timer !== slot) {
      const next = timer.next;
      if (timer.tick <= target) {
        unlink(timer);
        link(this.#due, timer);
      }
      timer = next;
    }
  }
}

/** An empty list: a sentinel that is linked to itself. */
function ring<Owner, Event>(): Timer<Owner, Event> {
  const sentinel = new Timer<Owner, Event>(undefined as Owner, undefined as Event);
  sentinel.previous = sentinel;
  sentinel.next = sentinel;
  return sentinel;
}

/** Appends the timer to the list. */
function link<Owner, Event>(sentinel: Timer<Owner, Event>, timer: Timer<Owner, Event>): void {
  const last = sentinel.previous as Timer<Owner, Event>;
  last.next = timer;
  timer.previous = last;
  timer.next = sentinel;
  sentinel.previous = timer;
}

function unlink<Owner, Event>(timer: Timer<Owner, Event>): void {
  (timer.previous as Timer<Owner, Event>).next = timer.next;
  (timer.next as Timer<Owner, Event>).previous = timer.previous;
  timer.previous = undefined;
  timer.next = undefined;
}
