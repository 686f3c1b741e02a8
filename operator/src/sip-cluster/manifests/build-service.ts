/** Builds the Service for phones. `externalTrafficPolicy: Local` keeps the phone's address visible to the node. */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";
import { ports } from "./ports.ts";

/** The default range of node ports of an API server. */
const nodePorts = { first: 30_000, last: 32_767 };

export function buildService(cluster: SipCluster): Manifest {
  const { type, annotations, loadBalancerClass, loadBalancerIP } = cluster.service;
  const isExternal = type !== "ClusterIP";
  return {
    ...owned(cluster, { apiVersion: "v1", kind: "Service" }, namesOf(cluster).service, annotations),
    spec: {
      type,
      selector: selectorLabels(cluster.reference.name),
      ports: [{ name: "sip-udp", protocol: "UDP", targetPort: "sip", ...portNumbers(cluster) }],
      ...(isExternal ? { externalTrafficPolicy: "Local" } : {}),
      ...(type === "LoadBalancer" && loadBalancerClass !== undefined ? { loadBalancerClass } : {}),
      ...(type === "LoadBalancer" && loadBalancerIP !== undefined ? { loadBalancerIP } : {}),
    },
  };
}

/** Phones use the advertised port. So the Service has this port, or for the type NodePort every host has it. */
function portNumbers({ advertised, service: { type } }: SipCluster): { port: number; nodePort?: number } {
  if (type !== "NodePort") return { port: advertised?.port ?? ports.sip };
  const { port } = advertised ?? { port: 0 };
  const isNodePort = port >= nodePorts.first && port <= nodePorts.last;
  return { port: ports.sip, ...(isNodePort ? { nodePort: port } : {}) };
}
