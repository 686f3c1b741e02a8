/**
 * The cluster of the end-to-end tests: their own (test/support/kubernetes), or with USE_EXISTING_CLUSTER=true the cluster of the current
 * kubeconfig. An existing cluster needs a load balancer with UDP. Its nodes must be able to pull the images
 * STROWGER_E2E_OPERATOR_IMAGE, STROWGER_E2E_SIP_NODE_IMAGE and, for the upgrade, STROWGER_E2E_NEXT_SIP_NODE_IMAGE, each with a tag. Set
 * STROWGER_E2E_MARIADB_IMAGE if the MariaDB image of the examples cannot be pulled. The tests act as phones, so they must run outside the
 * cluster, at an address that its pods can reach.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { kubeBinaries } from "../tools/build.ts";
import { useExistingCluster } from "../support/kubernetes/api-server.ts";
import { images, mariadbImage } from "../support/kubernetes/images.ts";
import { hosts, KubeCluster } from "../support/kubernetes/kube-cluster.ts";
import { KubeClient } from "../support/kubernetes/kube-client.ts";
import type { ProxyMode } from "../support/kubernetes/kube-node.ts";
import { LoadBalancer } from "../support/kubernetes/load-balancer.ts";
import { logProgress } from "./log-progress.ts";

export interface EndToEndCluster {
  readonly client: KubeClient;
  /** Undefined for an existing cluster: its nodes cannot be removed, and its load balancer cannot be inspected. */
  readonly own: { readonly kubeCluster: KubeCluster; readonly balancer: LoadBalancer } | undefined;
  readonly operatorImage: string;
  readonly sipNodeImage: string;
  readonly nextSipNodeImage: string;
  /** Undefined: the image of the examples. */
  readonly mariadbImage: string | undefined;
  close(): Promise<void>;
}

export interface PhonesHost {
  readonly namespace?: string;
  readonly address: string;
}

export async function openEndToEndCluster(
  proxyMode: ProxyMode,
  database: "inside" | "outside",
): Promise<EndToEndCluster> {
  return useExistingCluster ? await existingCluster() : await ownCluster(proxyMode, database);
}

/** The host of the phones, outside the cluster, with its source address for packets to the exchange. */
export async function phonesHost({ own }: EndToEndCluster, exchange: string): Promise<PhonesHost> {
  if (own) return { namespace: own.kubeCluster.namespace("ph"), address: hosts.ph.address };
  const socket = createSocket("udp4");
  socket.connect(9, exchange); // sends nothing; the system chooses the address
  await once(socket, "connect");
  const { address } = socket.address();
  socket.close();
  return { address };
}

async function ownCluster(proxyMode: ProxyMode, database: "inside" | "outside"): Promise<EndToEndCluster> {
  logProgress(`a cluster of two nodes, kube-proxy with ${proxyMode}`);
  const archives = database === "inside" ? [await mariadbImage()] : [];
  const cluster = await KubeCluster.start({ proxyMode, archives });
  const balancer = await LoadBalancer.start(cluster);
  const nextSipNodeImage = images.sipNode.replace(/:test$/, ":next");
  for (const node of cluster.nodes) await node.tag(images.sipNode, nextSipNodeImage);
  logProgress("two nodes are ready");
  return {
    client: cluster,
    own: { kubeCluster: cluster, balancer },
    operatorImage: images.operator,
    sipNodeImage: images.sipNode,
    nextSipNodeImage,
    mariadbImage: images.mariadb,
    close: async () => {
      await balancer[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

async function existingCluster(): Promise<EndToEndCluster> {
  const { kubectl } = await kubeBinaries(["kubectl"]);
  const kubeconfig = process.env["KUBECONFIG"] ?? join(homedir(), ".kube/config");
  const image = (name: string): string => {
    const value = process.env[`STROWGER_E2E_${name}_IMAGE`];
    if (!value) throw new Error(`USE_EXISTING_CLUSTER=true needs STROWGER_E2E_${name}_IMAGE`);
    return value;
  };
  return {
    client: new KubeClient({ kubectl, kubeconfig }),
    own: undefined,
    operatorImage: image("OPERATOR"),
    sipNodeImage: image("SIP_NODE"),
    nextSipNodeImage: image("NEXT_SIP_NODE"),
    mariadbImage: process.env["STROWGER_E2E_MARIADB_IMAGE"] || undefined,
    close: async () => undefined,
  };
}
