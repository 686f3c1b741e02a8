/** Builds the Service through which Prometheus finds every node, also a node that is not ready. */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";
import { ports } from "./ports.ts";

export const buildMetricsService = (cluster: SipCluster): Manifest => ({
  ...owned(cluster, { apiVersion: "v1", kind: "Service" }, namesOf(cluster).metrics),
  spec: {
    type: "ClusterIP",
    clusterIP: "None",
    publishNotReadyAddresses: true,
    selector: selectorLabels(cluster.reference.name),
    ports: [{ name: "metrics", protocol: "TCP", port: ports.metrics, targetPort: "metrics" }],
  },
});
