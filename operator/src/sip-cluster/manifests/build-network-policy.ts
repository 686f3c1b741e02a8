/**
 * Builds the NetworkPolicy of the nodes. Ingress: phones from everywhere, other nodes, and readers of metrics. Egress: DNS, MySQL, and UDP to
 * everywhere, because a phone may be anywhere. The kubelet's probes come from the pod's own host, which no policy blocks.
 */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";
import { ports } from "./ports.ts";

/** `metricsFrom`: NetworkPolicyPeers that may read metrics; empty: none. */
export function buildNetworkPolicy(cluster: SipCluster, metricsFrom: readonly unknown[]): Manifest {
  const nodes = { matchLabels: selectorLabels(cluster.reference.name) };
  const port = (protocol: string, number: number) => ({ protocol, port: number });
  const mysqlPorts = [...new Set((cluster.mysql?.hosts ?? []).map(({ port }) => port))];
  return {
    ...owned(cluster, { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" }, namesOf(cluster).nodes),
    spec: {
      podSelector: nodes,
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { ports: [port("UDP", ports.sip), port("UDP", ports.direct)] },
        { from: [{ podSelector: nodes }], ports: [port("UDP", ports.cluster)] },
        // An empty list of peers would allow every source.
        ...(metricsFrom.length === 0 ? [] : [{ from: metricsFrom, ports: [port("TCP", ports.metrics)] }]),
      ],
      egress: [
        { ports: [{ protocol: "UDP" }] },
        { ports: [port("TCP", 53), ...mysqlPorts.map((number) => port("TCP", number))] },
      ],
    },
  };
}
