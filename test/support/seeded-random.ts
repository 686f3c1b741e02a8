/** Random numbers from a seed. A failed test prints its seed, and `STROWGER_SEED` in the environment repeats that run. */
export interface SeededRandom {
  /** The text to print with a failure. */
  readonly seed: string;
  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number;
  pick<T>(items: readonly T[]): T;
}

/** `name`: two tests with different names get different numbers. The seed differs in every run. */
export function seededRandom(name: string): SeededRandom {
  const base = process.env["STROWGER_SEED"] ?? Math.floor(Math.random() * 0xffff_ffff).toString(36);
  let state = [...`${base}/${name}`].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 7);
  const next = (): number => {
    // mulberry32, which is in the public domain
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    seed: `STROWGER_SEED=${base}`,
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
  };
}
