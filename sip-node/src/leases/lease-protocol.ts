/**
 * The protocol by which a node knows that its copy is current, as `location/` and the database adapter use it: it waits
 * (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). `leases.ts` decides.
 */
import type { Ms } from "../wire/units.ts";
import { Leases, type LeasesDependencies } from "./leases.ts";

export interface LeaseProtocolDependencies extends LeasesDependencies {
  readonly clock: { now(): Ms };
  /** How long the answer to a REGISTER waited for the peers. */
  announced(waited: Ms): void;
}

/** A commit of bindings under way. */
export interface WritePermit {
  /** Ask after the row of this node was read and locked: false if the node was marked gone and joined again since `enter`. */
  isValid(): boolean;
  /** The commit has succeeded or failed, and its change is announced in the same turn of the event loop. */
  end(): void;
}

export class LeaseProtocol {
  readonly leases: Leases;
  private readonly deps: LeaseProtocolDependencies;
  private writes = 0;

  constructor(deps: LeaseProtocolDependencies) {
    this.deps = deps;
    this.leases = new Leases(deps);
  }

  isCurrent(): boolean {
    return this.leases.held.isCurrent(this.deps.clock.now());
  }

  async announce(change: Uint8Array): Promise<void> {
    const start = this.deps.clock.now();
    await new Promise<void>((done) => this.leases.announce(change, start, done));
    this.deps.announced(this.deps.clock.now() - start);
  }

  /** Resolves when this node may write bindings. `patience` ends the wait: then it returns undefined. */
  async enter(patience: () => Promise<unknown>): Promise<WritePermit | undefined> {
    const { gate } = this.leases;
    if (!gate.isOpen) await Promise.race([new Promise<void>((open) => gate.wait(open)), patience()]);
    const term = gate.openTerm;
    if (term === undefined) return undefined;
    this.writes += 1;
    return {
      isValid: () => gate.openTerm === term,
      end: () => void (this.writes -= 1),
    };
  }

  /** For the metrics. */
  get figures() {
    const { held, grants } = this.leases;
    return {
      ...held.count(this.deps.clock.now()),
      ...{ isCurrent: this.isCurrent(), announced: grants.sequence, distrusts: held.distrusts },
    };
  }

  /** No commit is under way. */
  get isQuiet(): boolean {
    return this.writes === 0;
  }
}
