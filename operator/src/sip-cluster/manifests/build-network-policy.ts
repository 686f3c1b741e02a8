/**
 * Who may talk to a node: phones from everywhere, nodes among themselves, and whoever may read metrics. Out of it: DNS, MySQL and UDP to
 * anywhere, for a phone may be anywhere. Probes of the kubelet come from the pod's own host, which no policy shuts out.
 */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";
import { ports } from "./ports.ts";

/** `metricsFrom`: NetworkPolicyPeers; empty: nobody. */
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
        // An empty list of peers would mean everybody.
        ...(metricsFrom.length === 0 ? [] : [{ from: metricsFrom, ports: [port("TCP", ports.metrics)] }]),
      ],
      egress: [
        { ports: [{ protocol: "UDP" }] },
        { ports: [port("TCP", 53), ...mysqlPorts.map((number) => port("TCP", number))] },
      ],
    },
  };
}
