/**
 * Runs a property on many texts. A failure names the text and the seed, and STROWGER_SEED repeats it. STROWGER_FUZZ_SECONDS=600 makes all
 * properties of test/fuzz/ together run about that long instead of a fixed number of rounds.
 */
import { seededRandom, type SeededRandom } from "../support/seeded-random.ts";

/** Calls of `survive` in all files. */
const properties = 13;
const seconds = Number(process.env["STROWGER_FUZZ_SECONDS"] ?? 0) / properties;

export function survive<Case>(
  name: string,
  rounds: number,
  make: (random: SeededRandom) => Case,
  act: (one: Case) => void,
): void {
  const random = seededRandom(name);
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < rounds || (seconds > 0 && performance.now() < end); round++) {
    const one = make(random);
    try {
      act(one);
    } catch (error) {
      throw new Error(`${random.seed} round ${round}: ${JSON.stringify(one)}`, { cause: error });
    }
  }
}

/** For tests that call `survive`. */
export const fuzzTimeout = 20_000 + seconds * 2_000;
