/** Where nodes meet: the table `strowger_node`, behind what the cluster room needs of it. */
import type { Ms } from "../wire/units.ts";
import type { Address } from "./membership.ts";

/** How busy a node is. */
export interface Figures {
  /** Server transactions held. */
  readonly transactions: number;
  /** INVITEs of new calls that were answered with 2xx. */
  readonly callsPerMinute: number;
  /** New requests that phones sent to this node itself; none handed over by a peer. */
  readonly requestsPerMinute: number;
}

/** What a node tells the others and the operator of itself. */
export interface Beat {
  readonly id: string;
  readonly address: Address;
  readonly isDraining: boolean;
  readonly figures: Figures;
  /** How long ago a phone from outside of the ranges of pods and nodes was heard; undefined: never. */
  readonly outsideHeardAgo: Ms | undefined;
}

export interface NodeDirectory {
  /** Writes this node's beat and returns the other nodes that beat lately. Rejects while the database is away. */
  beat(self: Beat): Promise<readonly { readonly id: string; readonly address: Address }[]>;
  /** Takes this node's row away at a clean stop. */
  leave(id: string): Promise<void>;
}
