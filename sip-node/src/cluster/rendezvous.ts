/**
 * Rendezvous hashing. All nodes that know the same candidates choose the same one for a key. When a candidate is added or removed, only its
 * own keys move.
 */
import { hash } from "node:crypto";

/** Returns the candidate with the highest hash of its id and the key; undefined when there is no candidate. */
export function rendezvous<Candidate extends { readonly id: string }>(
  key: string,
  candidates: readonly Candidate[],
): Candidate | undefined {
  let chosen: Candidate | undefined;
  let highest = "";
  for (const candidate of candidates) {
    const score = hash("md5", `${candidate.id} ${key}`, "hex");
    if (chosen !== undefined && score <= highest) continue;
    chosen = candidate;
    highest = score;
  }
  return chosen;
}
