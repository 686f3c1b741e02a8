/**
 * The common part of the four state machines of RFC 3261 §17: a state, two timers, and the look-up of an event in a table.
 *
 * At most two timers run at the same time: one that retransmits (A, E, G) and one that ends the state (the others). The state changes
 * before the actions run: a transaction user that calls back from an action sees the new state. When it terminates the transaction
 * there, the remaining actions are skipped.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import { type Cell, ignored, type Machine } from "./machine.ts";
import type { TimerLengths, TimerName } from "./timers.ts";
import { Timer, type TimerWheel } from "./timer-wheel.ts";

export type TimerEvent = `Timer ${TimerName}`;
export type TransactionTimer = Timer<TimerOwner, TimerEvent>;

export interface TimerOwner {
  on(event: TimerEvent, now: Ms): unknown;
}

/** The timers that `Transactions` shares with each transaction. */
export interface Timing {
  readonly wheel: TimerWheel<TimerOwner, TimerEvent>;
  readonly lengths: (flow: Flow) => TimerLengths;
  /** Cap of Timers E and G. */
  readonly t2: Ms;
}

export abstract class Transaction<State extends string, Event extends string, Action extends string, Payload>
  implements TimerOwner
{
  readonly flow: Flow;
  readonly #machine: Machine<State, Event, Action>;
  readonly #timing: Timing;
  readonly #lengths: TimerLengths;
  readonly #retransmit: TransactionTimer = new Timer(this, "Timer A");
  readonly #lifetime: TransactionTimer = new Timer(this, "Timer B");
  #state: State | "Terminated";
  #hasEnded = false;

  protected constructor(machine: Machine<State, Event, Action>, flow: Flow, timing: Timing) {
    this.flow = flow;
    this.#machine = machine;
    this.#timing = timing;
    this.#lengths = timing.lengths(flow);
    this.#state = machine.initial;
  }

  get state(): State | "Terminated" {
    return this.#state;
  }

  /** Runs the machine's first actions. */
  protected begin(now: Ms): void {
    for (const action of this.#machine.start) this.#run(action, now, undefined);
  }

  /** Changes the state as the table defines and returns the cell; an event of another machine is ignored. */
  on(event: Event | TimerEvent, now: Ms, payload?: Payload): Cell<State, Action> {
    if (this.#state === "Terminated") return ignored;
    /* eslint-disable strowger/no-open-lookup -- states and events are the machine's own */
    const row: Readonly<Record<string, Cell<State, Action>>> =
      this.#machine.table[this.#state as Exclude<State, "Terminated">];
    const cell = row[event] ?? ignored;
    /* eslint-enable strowger/no-open-lookup */
    if (cell === ignored) return cell;
    this.#state = cell.next;
    for (const action of cell.actions) {
      this.#run(action, now, payload);
      if (this.#hasEnded) return cell;
    }
    if (cell.next === "Terminated") this.terminate();
    return cell;
  }

  /** The transport could not send (§17.1.4, §17.2.4). */
  transportFailed(now: Ms): void {
    this.on("transport error" as Event, now);
  }

  /** Ends at once, from any state, without a message or a result (§9.1, RFC 4320 §4.2). */
  terminate(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#state = "Terminated";
    this.#timing.wheel.stop(this.#retransmit);
    this.#timing.wheel.stop(this.#lifetime);
    this.ended();
  }

  /** Performs an action that does not concern a timer. */
  protected abstract act(action: Action, now: Ms, payload: Payload | undefined): void;

  protected abstract ended(): void;

  #run(action: Action, now: Ms, payload: Payload | undefined): void {
    const timed = timerActions.get(action);
    if (timed === undefined) this.act(action, now, payload);
    else if (timed.verb === "stop") this.#timing.wheel.stop(this.#timer(timed));
    else this.#start(timed, now);
  }

  #start(timed: TimerAction, now: Ms): void {
    const timer = this.#timer(timed);
    const { t2, wheel } = this.#timing;
    let length = this.#lengths[timed.name];
    if (timed.verb === "double") length = timed.isCapped ? Math.min(2 * timer.length, t2) : 2 * timer.length;
    else if (timed.verb === "cap") length = t2;
    if (length === 0) this.on(timed.event, now);
    else if (length !== undefined) wheel.start(timer, timed.event, length, now);
  }

  #timer(timed: TimerAction): TransactionTimer {
    return timed.isRetransmission ? this.#retransmit : this.#lifetime;
  }
}

interface TimerAction {
  readonly verb: "start" | "double" | "cap" | "stop";
  readonly name: TimerName;
  readonly event: TimerEvent;
  readonly isRetransmission: boolean;
  readonly isCapped: boolean;
}

/** The timer actions of all tables, parsed once. */
const timerActions: ReadonlyMap<string, TimerAction> = (() => {
  const actions = new Map<string, TimerAction>();
  for (const name of ["A", "B", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M"] as const) {
    const isRetransmission = name === "A" || name === "E" || name === "G";
    const shared = { name, event: `Timer ${name}`, isRetransmission, isCapped: name !== "A" } as const;
    actions.set(`start ${name}`, { verb: "start", ...shared });
    actions.set(`double ${name}`, { verb: "double", ...shared });
    actions.set(`restart ${name} at T2`, { verb: "cap", ...shared });
    actions.set(`stop ${name}`, { verb: "stop", ...shared });
  }
  return actions;
})();
