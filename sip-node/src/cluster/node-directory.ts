/** Where nodes meet: the table `strowger_node`, behind what the cluster room needs of it. */
import type { Address } from "./membership.ts";

export interface NodeDirectory {
  /** Writes this node's beat and returns the other nodes that beat lately. Rejects while the database is away. */
  beat(self: {
    readonly id: string;
    readonly address: Address;
    readonly load: number;
  }): Promise<readonly { readonly id: string; readonly address: Address }[]>;
  /** Takes this node's row away at a clean stop. */
  leave(id: string): Promise<void>;
}
