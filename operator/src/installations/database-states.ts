/**
 * The states of a SipCluster's database, as a table. A test walks every pair of state and event.
 *
 *   closed     nothing is open, and no attempt has failed
 *   failed     nothing is open; the last attempt to open it failed
 *   leading    open, and this process is its operator
 *   observing  open for reading, because it belongs to another SipCluster
 */

export const databaseStates = ["closed", "failed", "leading", "observing"] as const;
export type DatabaseState = (typeof databaseStates)[number];

/** The actions that each event may cause. */
interface ActionOf {
  /** A reconcile needs the installation. `repeat failure` holds while the failure is recent and of the same spec; then `open`. */
  readonly requested: "open" | "repeat failure" | "answer";
  readonly "heartbeat due": "nothing" | "retry" | "send heartbeat";
  /** The SipCluster changed: its failure may be over. It is opened when it is next requested. */
  readonly "SipCluster changed": "nothing";
  readonly "Secret changed": "nothing" | "open" | "check logins";
  /** The SipCluster is gone, or names no database. */
  readonly "not needed": "nothing" | "release";
  readonly "opened as leader": "nothing";
  readonly "opened as observer": "nothing";
  readonly "opening failed": "nothing";
  /** Tables are missing, or another database is at the same address. */
  readonly "database replaced": "nothing" | "reopen";
  /** Another SipCluster took the database on purpose. */
  readonly "taken by another SipCluster": "nothing" | "close";
  /** Another operator raised the epoch, while this process holds the Lease. */
  readonly contested: "nothing" | "stand aside";
  /** Another operator raised the epoch, and this process does not hold the Lease. */
  readonly "leadership lost": "nothing" | "report";
}

export type DatabaseEvent = keyof ActionOf;
export type DatabaseAction<Event extends DatabaseEvent = DatabaseEvent> = ActionOf[Event];

export interface DatabaseStep<Event extends DatabaseEvent = DatabaseEvent> {
  readonly next: DatabaseState;
  readonly action: DatabaseAction<Event>;
}

type Row = { readonly [Event in DatabaseEvent]: DatabaseStep<Event> };

const to = <Action extends DatabaseAction>(
  next: DatabaseState,
  action: Action,
): { readonly next: DatabaseState; readonly action: Action } => ({ next, action });

/** Where an opening ends is the same in every state. */
const opened = {
  "opened as leader": to("leading", "nothing"),
  "opened as observer": to("observing", "nothing"),
} as const;

/** Events that only the heartbeat of a leader finds. */
const notLeading = <State extends DatabaseState>(state: State) =>
  ({
    "database replaced": to(state, "nothing"),
    "taken by another SipCluster": to(state, "nothing"),
    contested: to(state, "nothing"),
    "leadership lost": to(state, "nothing"),
  }) as const;

export const databaseTable: Readonly<Record<DatabaseState, Row>> = {
  closed: {
    ...opened,
    ...notLeading("closed"),
    requested: to("closed", "open"),
    "heartbeat due": to("closed", "nothing"),
    "SipCluster changed": to("closed", "nothing"),
    "Secret changed": to("closed", "nothing"), // to open it is to lead it, and nothing needs it yet
    "not needed": to("closed", "nothing"),
    "opening failed": to("failed", "nothing"),
  },
  failed: {
    ...opened,
    ...notLeading("failed"),
    requested: to("failed", "repeat failure"),
    "heartbeat due": to("failed", "retry"),
    "SipCluster changed": to("closed", "nothing"),
    "Secret changed": to("closed", "open"),
    "not needed": to("closed", "nothing"),
    "opening failed": to("failed", "nothing"),
  },
  leading: {
    ...opened,
    requested: to("leading", "answer"),
    "heartbeat due": to("leading", "send heartbeat"),
    "SipCluster changed": to("leading", "nothing"),
    "Secret changed": to("leading", "check logins"),
    "not needed": to("closed", "release"),
    "opening failed": to("leading", "nothing"), // the older connections still serve
    "database replaced": to("closed", "reopen"),
    "taken by another SipCluster": to("closed", "close"),
    contested: to("failed", "stand aside"),
    "leadership lost": to("leading", "report"), // the process ends
  },
  observing: {
    ...opened,
    ...notLeading("observing"),
    requested: to("observing", "repeat failure"), // opened again each time: it may be free by now
    "heartbeat due": to("observing", "nothing"),
    "SipCluster changed": to("observing", "nothing"),
    "Secret changed": to("observing", "open"),
    "not needed": to("closed", "release"),
    "opening failed": to("observing", "nothing"),
  },
};
