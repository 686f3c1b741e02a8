/** A state machine as a table: every pair of state and event has a cell, so that a test and a diagram can walk all of them. */

/** What happens on an event: the actions in order, then (or still) the state `next`. */
export interface Step<State extends string, Action extends string> {
  readonly next: State;
  readonly actions: readonly Action[];
}

/** `ignored`: the RFC's figure has no arrow for this event in this state; nothing is sent, told or started. */
export type Cell<State extends string, Action extends string> = Step<State, Action> | typeof ignored;

export interface Machine<State extends string, Event extends string, Action extends string> {
  /** As the RFC calls it. */
  readonly name: string;
  /** The sections and figures drawn from. */
  readonly source: string;
  /** What brings the transaction into being. */
  readonly begins: string;
  readonly initial: State;
  /** Actions on entering `initial`. */
  readonly start: readonly Action[];
  /** In the order of the figure. `Terminated` ignores every event, by construction. */
  readonly table: Readonly<
    Record<Exclude<State, "Terminated">, Readonly<Record<Event, Cell<State, Action>>>>
  >;
}

export const ignored = "ignored";

/** A cell: `to("Completed", "send ACK", "start D")`. */
export const to = <State extends string, Action extends string>(
  next: State,
  ...actions: readonly Action[]
): Step<State, Action> => ({ next, actions });
