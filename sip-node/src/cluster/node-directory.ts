/** The table `strowger_node`, by which nodes find each other, as an interface. */
import type { Ms } from "../wire/units.ts";
import type { Address } from "./membership.ts";

/** How busy a node is. */
export interface NodeLoad {
  /** Server transactions held. */
  readonly transactions: number;
  /** INVITEs of new calls that were answered with 2xx. */
  readonly callsPerMinute: number;
  /** New requests that phones sent to this node itself; none handed over by a peer. */
  readonly requestsPerMinute: number;
}

/** What a node reports to the other nodes and to the operator. */
export interface NodeHeartbeat {
  readonly id: string;
  readonly address: Address;
  readonly isDraining: boolean;
  readonly load: NodeLoad;
  /** Milliseconds since the last datagram of a phone outside the ranges of pods and nodes; undefined: none arrived yet. */
  readonly outsideReceivedAgo: Ms | undefined;
}

export interface NodeDirectory {
  /** Writes this node's row. Returns the other nodes whose heartbeat is recent. Rejects while the database is unavailable. */
  writeHeartbeat(
    heartbeat: NodeHeartbeat,
  ): Promise<readonly { readonly id: string; readonly address: Address }[]>;
  /** Deletes this node's row at a clean stop. */
  remove(id: string): Promise<void>;
}
