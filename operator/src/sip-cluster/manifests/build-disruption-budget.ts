/** Builds the PodDisruptionBudget: one node at a time may be evicted; a node that is not ready may always be evicted. */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";

export const buildDisruptionBudget = (cluster: SipCluster): Manifest => ({
  ...owned(cluster, { apiVersion: "policy/v1", kind: "PodDisruptionBudget" }, namesOf(cluster).nodes),
  spec: {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels: selectorLabels(cluster.reference.name) },
  },
});
