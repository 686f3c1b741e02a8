/**
 * Whether an object must be written: it was made of another manifest (its note says of which), or something of what we said has changed
 * since. What others added, defaults above all, is theirs.
 */
import { createHash } from "node:crypto";
import type { Manifest } from "../../runtime/manifests.ts";
import { parseQuantity } from "./quantity.ts";
import { ownValue } from "../../runtime/own-value.ts";

const noteName = "sip.strowger.dev/applied";

/** The manifest with the note of what it says. */
export function withNote(manifest: Manifest): Manifest {
  const note = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 16);
  const annotations = { ...manifest.metadata.annotations, [noteName]: note };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

export const differs = (wanted: Manifest, live: Manifest | undefined): boolean =>
  live === undefined || !contains(live, wanted);

/** Whether `live` says all that `wanted` says. Lists of named things are compared by name, others item by item. */
function contains(live: unknown, wanted: unknown, field = ""): boolean {
  if (live === undefined && isNothing(wanted)) return true;
  if (Array.isArray(wanted)) return Array.isArray(live) && listContains(live, wanted, field);
  if (typeof wanted === "object" && wanted !== null) {
    if (typeof live !== "object" || live === null) return false;
    const isQuantities = field === "requests" || field === "limits";
    return Object.entries(wanted).every(([name, value]) => {
      const there = ownValue(live as Readonly<Record<string, unknown>>, name);
      return isQuantities ? isSameQuantity(there, value) : contains(there, value, name);
    });
  }
  return live === wanted;
}

/** The API server leaves out what is empty. */
const isNothing = (wanted: unknown): boolean =>
  wanted === "" || (typeof wanted === "object" && wanted !== null && Object.keys(wanted).length === 0);

function listContains(live: readonly unknown[], wanted: readonly unknown[], field: string): boolean {
  // Another controller may own an object as well; whatever else stands in a list that we wrote, somebody put there.
  if (field !== "ownerReferences" && live.length !== wanted.length) return false;
  return wanted.every((item, at) => {
    const { name } = (item ?? {}) as { readonly name?: unknown };
    const there =
      typeof name === "string"
        ? live.find((other) => (other as { readonly name?: unknown } | null)?.name === name)
        : live[at];
    return contains(there, item);
  });
}

/** The API server writes `1000m` as `1`. */
function isSameQuantity(live: unknown, wanted: unknown): boolean {
  const [there, here] = [live, wanted].map((value) => parseQuantity(value as string | number));
  return there !== undefined && there === here;
}
