/**
 * A seal that ages: what is sealed with it is believed for a minute or so, so that nobody can bring back later what nodes once said
 * to each other. Each window of time has a key of its own; clocks of nodes may differ by a window.
 */
import type { Seal } from "../wire/seal.ts";
import type { Epoch, Ms } from "../wire/units.ts";
import { createSeal } from "./create-seal.ts";
import type { KeyRing } from "./key-ring.ts";

const windowLength: Ms = 30_000;

/** Believed from one window before to one window after the one it was made in: 30 to 60 seconds. Takes the underived ring. */
export function createFreshSeal(ring: KeyRing, purpose: string, now: () => Epoch): Seal {
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
      return [window, window - 1, window + 1].some((one) => sealOf(one).isSealed(data, seal));
    },
  };
}
