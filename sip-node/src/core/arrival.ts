/** A request as it arrived at this node, before it belongs to a transaction. */
import type { KnownFlow } from "../cluster/flow-directory.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";

export interface Arrival {
  readonly request: Request;
  readonly bytes: Buffer;
  /** The phone's flow, also where a peer received the request. */
  readonly flow: Flow;
  /** What the cluster knows about the flow; undefined: a peer received the request. */
  readonly heard: KnownFlow | undefined;
  /** The draining peer that handed the request over; undefined: none did. */
  readonly peer: string | undefined;
}
