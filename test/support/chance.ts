/** Chance that can be repeated: `STROWGER_SEED` in the environment gives the run whose seed a failure printed. */
export interface Chance {
  /** To be printed with a failure. */
  readonly seed: string;
  /** A whole number of 0 to `bound` - 1. */
  below(bound: number): number;
  pick<T>(items: readonly T[]): T;
}

/** `name` keeps the series of two tests apart. The seed changes with every run. */
export function chance(name: string): Chance {
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
