/** What can be done in Kubernetes for a SipCluster. */
import type { Manifest } from "../runtime/manifests.ts";
import type { Event } from "../runtime/source.ts";

export type FleetAction =
  | { readonly do: "apply" | "create" | "remove"; readonly manifest: Manifest }
  /** A note on a pod, which may be gone by now. */
  | { readonly do: "notePod"; readonly manifest: Manifest }
  | { readonly do: "tell"; readonly event: Event };
