/** The core's data of a server transaction. */
import type { ResponseContext } from "../proxy/response-context.ts";
import type { Target } from "../proxy/targets.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { Timer } from "../transaction/timer-wheel.ts";
import type { Ms } from "../wire/units.ts";
import type { Branch } from "./branch.ts";

export class ServerContext {
  readonly server: ServerTransaction<ServerContext>;
  readonly receivedAt: Ms;
  /** The To tag of this node's own responses. */
  toTag: string;
  /** Whether a peer has a transaction of this request; undefined: no peer was asked. */
  isHeldByPeer: Promise<boolean> | undefined = undefined;
  /** Undefined until the request is forwarded. */
  responseContext: ResponseContext<Target> | undefined = undefined;
  branches: readonly Branch<ServerContext>[] = [];
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
