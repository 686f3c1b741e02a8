/** What the floor plan keeps with a server transaction while its branches are out. */
import type { Target } from "../proxy/targets.ts";
import type { ResponseContext } from "../proxy/response-context.ts";
import type { ClientTransaction } from "../transaction/client-transaction.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import { Timer } from "../transaction/timer-wheel.ts";
import type { Ms } from "../wire/units.ts";

export type Server = ServerTransaction<Call>;
export type Client = ClientTransaction<Leg | undefined>;

export interface Call {
  readonly receivedAt: Ms;
  /** The To tag of our own responses. */
  toTag: string;
  /** Whether a peer holds this request's transaction; undefined where none is asked. */
  isTaken: Promise<boolean> | undefined;
  /** Undefined until the request is forwarded. */
  context: ResponseContext<Target> | undefined;
  legs: Leg[];
  /** A final response of ours or a relayed one has been sent. */
  hasAnswered: boolean;
  hasRung: boolean;
  /** A 100 has been sent. */
  hasTried: boolean;
  /** Runs while branches that say nothing hold the answer; undefined: they never did. */
  silence: Timer<Server, "silence"> | undefined;
  /** Tells the cluster that a transaction which a peer handed over has ended. */
  release: (() => void) | undefined;
}

export type LegEvent = "Timer C" | "CANCEL unanswered";

/** One branch on its way: its client transaction and the timer that bounds it. */
export class Leg {
  readonly server: Server;
  readonly at: number;
  readonly target: Target;
  readonly branch: string;
  /** The request as it was sent; its CANCEL is made from it. */
  readonly text: string;
  client: Client | undefined = undefined;
  readonly timer = new Timer<Leg, LegEvent>(this, "Timer C");

  constructor(
    server: Server,
    at: number,
    target: Target,
    copy: { readonly branch: string; readonly text: string },
  ) {
    this.server = server;
    this.at = at;
    this.target = target;
    this.branch = copy.branch;
    this.text = copy.text;
  }
}
