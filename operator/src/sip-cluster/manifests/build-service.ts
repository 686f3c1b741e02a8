/** The address that phones call. `externalTrafficPolicy: Local` keeps their own address visible to the node. */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";
import { ports } from "./ports.ts";

/** The range in which an API server gives node ports, unless it was told another one. */
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

/** Phones know the advertised port, so whatever faces them has it: the Service itself, or the port on every host. */
function portNumbers({ advertised, service: { type } }: SipCluster): { port: number; nodePort?: number } {
  if (type !== "NodePort") return { port: advertised?.port ?? ports.sip };
  const { port } = advertised ?? { port: 0 };
  const isNodePort = port >= nodePorts.first && port <= nodePorts.last;
  return { port: ports.sip, ...(isNodePort ? { nodePort: port } : {}) };
}
