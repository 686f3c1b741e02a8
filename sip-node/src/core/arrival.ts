/** A request as it arrived at this node, before it belongs to a transaction. */
import type { KnownFlow } from "../cluster/flow-directory.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";

export interface Arrival {
  readonly request: Request;
  /** The datagram, as it was received. */
  readonly datagram: string;
  /** The phone's flow, also when a peer received the request. */
  readonly flow: Flow;
  /** The cluster's record of the flow; undefined: a peer received the request. */
  readonly knownFlow: KnownFlow | undefined;
  /** The draining peer that handed the request over; undefined: no peer handed it over. */
  readonly peer: string | undefined;
}
