/**
 * A seal that expires after about a minute, against the replay of frames between nodes. Each time window has a key of its own. The clocks
 * of nodes may differ by one window.
 */
import type { Seal } from "../wire/seal.ts";
import type { Epoch, Ms } from "../wire/units.ts";
import { createSeal } from "./create-seal.ts";
import type { KeyRing } from "./key-ring.ts";

const windowLength: Ms = 30_000;

/** Valid from the window before the one in which it was made to the window after it: 30 to 60 seconds. `ring`: not derived. */
export function createExpiringSeal(ring: KeyRing, purpose: string, now: () => Epoch): Seal {
  let seals = new Map<number, Seal>();
  const current = (): number => Math.floor(now() / windowLength);
  const sealOf = (window: number): Seal => {
    const known = seals.get(window);
    if (known !== undefined) return known;
    const made = createSeal(ring, `${purpose} ${window}`, now);
    seals = new Map([...seals].filter(([other]) => Math.abs(other - window) <= 2)).set(window, made);
    return made;
  };
  return {
    seal: (data) => sealOf(current()).seal(data),
    isSealed(data, seal) {
      const window = current();
      return [window, window - 1, window + 1].some((candidate) => sealOf(candidate).isSealed(data, seal));
    },
  };
}
