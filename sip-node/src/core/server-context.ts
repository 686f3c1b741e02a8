/** The core's data of a server transaction, and of each branch that its request is forwarded on. */
import type { ResponseContext } from "../proxy/response-context.ts";
import type { Target } from "../proxy/targets.ts";
import type { ClientTransaction, ClientTransactionUser } from "../transaction/client-transaction.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import { Timer } from "../transaction/timer-wheel.ts";
import type { Response } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import type { BranchCopy } from "./branch-copies.ts";

export class ServerContext {
  readonly server: ServerTransaction<ServerContext>;
  readonly receivedAt: Ms;
  /** The To tag of this node's own responses. */
  toTag: string;
  /** Whether a peer has a transaction of this request; undefined: no peer was asked. */
  isHeldByPeer: Promise<boolean> | undefined = undefined;
  /** Undefined until the request is forwarded. */
  responseContext: ResponseContext<Target> | undefined = undefined;
  branches: readonly Branch[] = [];
  /** A final response was sent, or the request was dropped. */
  hasAnswered = false;
  /** An 18x was forwarded. */
  hasRung = false;
  /** A 100 was sent. */
  hasSentTrying = false;
  /** Runs while only silent branches delay a final response; undefined: it never ran. */
  silence: Timer<ServerContext, "silence"> | undefined = undefined;
  /** For a request that a draining peer handed over: removes it from the count of that peer. */
  release: (() => void) | undefined = undefined;

  constructor(server: ServerTransaction<ServerContext>, receivedAt: Ms, toTag: string) {
    this.server = server;
    this.receivedAt = receivedAt;
    this.toTag = toTag;
  }
}

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
export interface BranchUser {
  receiveResponse(branch: Branch, response: Response, now: Ms): void;
  clientFailed(branch: Branch, cause: "timeout" | "transport"): void;
}

/** A branch of a forwarded request (RFC 3261 §16.6): its copy, its client transaction, and the timer that bounds it. */
export class Branch implements ClientUser {
  readonly context: ServerContext;
  /** Its index in the branches of the response context. */
  readonly index: number;
  readonly target: Target;
  readonly copy: BranchCopy;
  client: ClientTransaction<ClientUser> | undefined = undefined;
  readonly timer = new Timer<Branch, BranchTimerEvent>(this, "Timer C");
  private readonly user: BranchUser;

  constructor(user: BranchUser, context: ServerContext, index: number, target: Target, copy: BranchCopy) {
    this.user = user;
    this.context = context;
    this.index = index;
    this.target = target;
    this.copy = copy;
  }

  receiveResponse(response: Response, now: Ms): void {
    this.user.receiveResponse(this, response, now);
  }

  clientFailed(cause: "timeout" | "transport"): void {
    this.user.clientFailed(this, cause);
  }
}
