/**
 * Compares an object in Kubernetes with the wanted manifest. It must be written when it was made from another manifest (an annotation has the
 * hash), or when a field that we set has changed since. Fields that others added, such as defaults, are ignored.
 */
import { createHash } from "node:crypto";
import type { Manifest } from "../../runtime/manifests.ts";
import { parseQuantity } from "./quantity.ts";
import { ownValue } from "../../runtime/own-value.ts";

const hashAnnotation = "sip.strowger.dev/applied";

/** The manifest with the annotation of its hash. */
export function withHash(manifest: Manifest): Manifest {
  const hash = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 16);
  const annotations = { ...manifest.metadata.annotations, [hashAnnotation]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

export const differs = (wanted: Manifest, live: Manifest | undefined): boolean =>
  live === undefined || !contains(live, wanted);

/** Whether `live` has all fields of `wanted` with equal values. Lists of items with a name are compared by name, other lists by position. */
function contains(live: unknown, wanted: unknown, field = ""): boolean {
  if (live === undefined && isEmpty(wanted)) return true;
  if (Array.isArray(wanted)) return Array.isArray(live) && listContains(live, wanted, field);
  if (typeof wanted === "object" && wanted !== null) {
    if (typeof live !== "object" || live === null) return false;
    const isQuantities = field === "requests" || field === "limits";
    return Object.entries(wanted).every(([name, value]) => {
      const present = ownValue(live as Readonly<Record<string, unknown>>, name);
      return isQuantities ? isSameQuantity(present, value) : contains(present, value, name);
    });
  }
  return live === wanted;
}

/** The API server omits empty fields. */
const isEmpty = (wanted: unknown): boolean =>
  wanted === "" || (typeof wanted === "object" && wanted !== null && Object.keys(wanted).length === 0);

function listContains(live: readonly unknown[], wanted: readonly unknown[], field: string): boolean {
  // Another controller may add an owner reference. In every other list that we wrote, an additional item is a change.
  if (field !== "ownerReferences" && live.length !== wanted.length) return false;
  return wanted.every((item, at) => {
    const { name } = (item ?? {}) as { readonly name?: unknown };
    const present =
      typeof name === "string"
        ? live.find((other) => (other as { readonly name?: unknown } | null)?.name === name)
        : live[at];
    return contains(present, item);
  });
}

/** The API server writes `1000m` as `1`. */
function isSameQuantity(live: unknown, wanted: unknown): boolean {
  const [present, expected] = [live, wanted].map((value) => parseQuantity(value as string | number));
  return present !== undefined && present === expected;
}
