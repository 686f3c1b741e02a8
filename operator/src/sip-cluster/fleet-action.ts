/** Actions in Kubernetes for a SipCluster. */
import type { Manifest } from "../runtime/manifests.ts";
import type { Event } from "../runtime/source.ts";

export type FleetAction =
  | { readonly do: "apply" | "create" | "remove"; readonly manifest: Manifest }
  /** The pod may be gone by now. */
  | { readonly do: "annotatePod"; readonly manifest: Manifest }
  | { readonly do: "recordEvent"; readonly event: Event };
