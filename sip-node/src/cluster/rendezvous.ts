/**
 * Which peer gets what: rendezvous hashing. Whoever knows the same candidates chooses the same one, and a candidate that comes or goes
 * moves only what was or will be its own.
 */
import { hash } from "node:crypto";

/** The candidate with the highest hash of its id and the key; undefined for none. */
export function rendezvous<Candidate extends { readonly id: string }>(
  key: string,
  candidates: readonly Candidate[],
): Candidate | undefined {
  let chosen: Candidate | undefined;
  let highest = "";
  for (const candidate of candidates) {
    const height = hash("md5", `${candidate.id} ${key}`, "hex");
    if (chosen !== undefined && height <= highest) continue;
    chosen = candidate;
    highest = height;
  }
  return chosen;
}
