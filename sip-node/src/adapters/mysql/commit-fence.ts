/**
 * The fence around commits of bindings (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). Peers stop asking a node that is
 * marked gone for leases, so it must not commit. Each commit locks the row of its node, and is rolled back if the row is marked.
 */
import type { LeaseProtocol } from "../../leases/lease-protocol.ts";
import { StoreUnavailable } from "../../location/location-store.ts";
import type { Ms } from "../../wire/units.ts";
import { foundRows, type StatementResult } from "./database.ts";
import { lockOwnRow } from "./node-table.ts";

export interface CommitFenceDependencies {
  readonly protocol: Pick<LeaseProtocol, "enter">;
  /** Resolves when the row of this node is not marked gone. */
  rejoin(): Promise<void>;
  pause(duration: Ms): Promise<void>;
}

/** The first statement of the transaction, and whether its result permits the COMMIT. */
export interface MembershipCheck {
  readonly statement: string;
  passes(result: StatementResult | undefined): boolean;
}

/** A little longer than a node that joined waits for its peers. */
const maxWait: Ms = 2_500;
const maxAttempts = 3;

export class CommitFence {
  private readonly id: string;
  private readonly deps: CommitFenceDependencies;

  /** `id`: of this node. */
  constructor(id: string, deps: CommitFenceDependencies) {
    this.id = id;
    this.deps = deps;
  }

  /** Runs a transaction when this node may write, and again after it has joined again. Throws `StoreUnavailable`. */
  async run<Outcome>(act: (membership: MembershipCheck) => Promise<Outcome>): Promise<Outcome> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const permit = await this.deps.protocol.enter(() => this.deps.pause(maxWait));
      if (permit === undefined) throw new StoreUnavailable("strowger_node", "this node may not write now");
      let isRefused = false;
      try {
        const outcome = await act({
          statement: lockOwnRow(this.id),
          passes: (result) => {
            isRefused = !(foundRows(result) > 0 && permit.isValid());
            return !isRefused;
          },
        });
        if (!isRefused) return outcome;
      } finally {
        permit.end();
      }
      await this.deps.rejoin();
    }
    throw new StoreUnavailable("strowger_node", "this node is marked gone again and again");
  }
}

/** For a database with one writer. */
export const noFence: Pick<CommitFence, "run"> = {
  run: (act) => act({ statement: "SELECT 1", passes: () => true }),
};
