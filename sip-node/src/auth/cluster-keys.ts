/**
 * All that a node derives from the key ring, derived again when another ring is mounted (design-sip rule 18). What is under way lives
 * on as long as the new ring holds the key that sealed it.
 */
import type { Seal } from "../wire/seal.ts";
import type { Epoch } from "../wire/units.ts";
import { createFreshSeal } from "./fresh-seal.ts";
import { createSeal } from "./create-seal.ts";
import { type DerivedRing, deriveRing, type KeyRing } from "./key-ring.ts";

interface Derived {
  readonly branch: Seal;
  readonly flowToken: Seal;
  readonly relay: Seal;
  readonly nonces: DerivedRing;
}

export class ClusterKeys {
  /** Seals branches. */
  readonly branch: Seal = through(() => this.derived.branch);
  readonly flowToken: Seal = through(() => this.derived.flowToken);
  /** Seals frames between nodes, for a minute. */
  readonly relay: Seal = through(() => this.derived.relay);
  private readonly now: () => Epoch;
  private derived: Derived;

  constructor(ring: KeyRing, now: () => Epoch) {
    this.now = now;
    this.derived = derive(ring, now);
  }

  replace(ring: KeyRing): void {
    this.derived = derive(ring, this.now);
  }

  get nonces(): DerivedRing {
    return this.derived.nonces;
  }
}

const derive = (ring: KeyRing, now: () => Epoch): Derived => ({
  branch: createSeal(ring, "branch", now),
  flowToken: createSeal(ring, "flow token", now),
  relay: createFreshSeal(ring, "relay", now),
  nonces: deriveRing(ring, "nonce"),
});

const through = (current: () => Seal): Seal => ({
  seal: (data) => current().seal(data),
  isSealed: (data, seal) => current().isSealed(data, seal),
});
