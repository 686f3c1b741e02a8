/** A state machine as a table: every pair of state and event has a cell, so that a test and a diagram can iterate over all of them. */

/** A transition: the next state (which may be the same one) and the actions in their order. */
export interface Transition<State extends string, Action extends string> {
  readonly next: State;
  readonly actions: readonly Action[];
}

/** `ignored`: the RFC's figure has no arrow for this event in this state; nothing happens. */
export type Cell<State extends string, Action extends string> = Transition<State, Action> | typeof ignored;

export interface Machine<State extends string, Event extends string, Action extends string> {
  /** The RFC's name. */
  readonly name: string;
  /** The sections and figures that the table follows. */
  readonly source: string;
  /** The event that creates the transaction. */
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
): Transition<State, Action> => ({ next, actions });
