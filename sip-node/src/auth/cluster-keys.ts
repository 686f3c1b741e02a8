/**
 * The seals and keys that a node derives from the key ring, derived again when another ring is mounted (design-sip rule 18). A token or a
 * nonce stays valid as long as the new ring has the key that made it.
 */
import type { Seal } from "../wire/seal.ts";
import type { Epoch } from "../wire/units.ts";
import { createExpiringSeal } from "./create-expiring-seal.ts";
import { createSeal } from "./create-seal.ts";
import { type DerivedRing, deriveRing, type KeyRing } from "./key-ring.ts";

interface DerivedKeys {
  readonly branch: Seal;
  readonly flowToken: Seal;
  readonly relay: Seal;
  readonly nonces: DerivedRing;
}

export class ClusterKeys {
  /** Seals branch parameters. */
  readonly branch: Seal = delegate(() => this.derived.branch);
  readonly flowToken: Seal = delegate(() => this.derived.flowToken);
  /** Seals frames between nodes; valid for a minute. */
  readonly relay: Seal = delegate(() => this.derived.relay);
  private readonly now: () => Epoch;
  private derived: DerivedKeys;

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

const derive = (ring: KeyRing, now: () => Epoch): DerivedKeys => ({
  branch: createSeal(ring, "branch", now),
  flowToken: createSeal(ring, "flow token", now),
  relay: createExpiringSeal(ring, "relay", now),
  nonces: deriveRing(ring, "nonce"),
});

/** A seal of the ring that is mounted now. */
const delegate = (current: () => Seal): Seal => ({
  seal: (data) => current().seal(data),
  isSealed: (data, seal) => current().isSealed(data, seal),
});
