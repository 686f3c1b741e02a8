/** A branch of a forwarded request (RFC 3261 §16.6): its copy, its client transaction, and the timer that bounds it. */
import type { SentToken } from "../proxy/callee-contact.ts";
import type { Target } from "../proxy/targets.ts";
import type { ClientTransaction, ClientTransactionUser } from "../transaction/client-transaction.ts";
import { Timer } from "../transaction/timer-wheel.ts";
import type { Response } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import type { BranchCopy } from "./branch-copies.ts";

export type BranchTimerEvent = "Timer C" | "CANCEL unanswered";

/** The core's side of a client transaction, with the target of its messages. */
export interface ClientUser extends ClientTransactionUser {
  readonly target: Target;
}

/** For the CANCEL of a branch: its response is ignored, because the branch gets a 487 to its INVITE. */
export const cancelUser = (target: Target): ClientUser => ({
  target,
  receiveResponse: () => {},
  clientFailed: () => {},
});

/** Receives the results of branches: `Branches`. */
export interface BranchUser<Context> {
  receiveResponse(branch: Branch<Context>, response: Response, now: Ms): void;
  clientFailed(branch: Branch<Context>, cause: "timeout" | "transport"): void;
}

export class Branch<Context> implements ClientUser {
  /** Of the request that it belongs to. */
  readonly context: Context;
  /** Its index in the branches of the response context. */
  readonly index: number;
  readonly target: Target;
  /** The branch parameter of our Via. */
  readonly viaBranch: string;
  /** The request as it is sent; empty after the final response. */
  text: string;
  /** Undefined: it has no Record-Route. */
  readonly token: SentToken | undefined;
  client: ClientTransaction<ClientUser> | undefined = undefined;
  readonly timer = new Timer<Branch<Context>, BranchTimerEvent>(this, "Timer C");
  private readonly user: BranchUser<Context>;

  constructor(
    user: BranchUser<Context>,
    context: Context,
    index: number,
    target: Target,
    { viaBranch, text, token }: BranchCopy,
  ) {
    this.user = user;
    this.context = context;
    this.index = index;
    this.target = target;
    this.viaBranch = viaBranch;
    this.text = text;
    this.token = token;
  }

  receiveResponse(response: Response, now: Ms): void {
    this.user.receiveResponse(this, response, now);
  }

  clientFailed(cause: "timeout" | "transport"): void {
    this.user.clientFailed(this, cause);
  }
}
