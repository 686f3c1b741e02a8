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

/** A node with a row. */
export interface DirectoryNode {
  readonly id: string;
  readonly address: Address;
  /** Its commits are refused until it joins again. */
  readonly isGone: boolean;
  /** Its last heartbeat is so old that it is to be marked gone. */
  readonly isStale: boolean;
}

/** Every promise rejects while the database is unavailable. */
export interface NodeDirectory {
  /** Inserts this node's row, or removes its mark "gone". */
  join(heartbeat: NodeHeartbeat): Promise<void>;
  /** Updates this node's row. Does nothing when there is none, or when it is marked gone. */
  beat(heartbeat: NodeHeartbeat): Promise<void>;
  /** Every row, also this node's. */
  list(): Promise<readonly DirectoryNode[]>;
  /** Marks these nodes gone if their heartbeats are still stale. Waits for their commits under way. */
  markGone(ids: readonly string[]): Promise<void>;
  /** Deletes this node's row at a clean stop. */
  remove(id: string): Promise<void>;
}
