/** The load balancer of a test's cluster: its log, and the node that the kernel chooses for a flow. */
import { join } from "node:path";
import { kubeBinaries } from "../../tools/build.ts";
import { startChild, type TestChild } from "../child.ts";
import { hosts, type KubeCluster } from "./kube-cluster.ts";
import type { BalancerSettings } from "./load-balancer-program.ts";

const addresses = Array.from({ length: 20 }, (_, index) => `10.213.0.${200 + index}`);

interface Change {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Such as `10.213.0.200 -> 10.213.0.1 10.213.0.2`. */
  readonly what: string;
}

export class LoadBalancer implements AsyncDisposable {
  readonly #child: TestChild;
  readonly #cluster: KubeCluster;

  private constructor(cluster: KubeCluster, child: TestChild) {
    this.#cluster = cluster;
    this.#child = child;
  }

  /** Starts it. It serves every Service of type LoadBalancer. */
  static async start(cluster: KubeCluster): Promise<LoadBalancer> {
    const { kubectl } = await kubeBinaries(["kubectl"]);
    const nodes = cluster.nodes.map((node) => node.address);
    const settings: BalancerSettings = { kubectl, kubeconfig: cluster.kubeconfig, nodes, addresses };
    const program = join(import.meta.dirname, "load-balancer-program.ts");
    const log = join(cluster.folder, "load-balancer.log");
    const namespace = cluster.namespace("ph");
    const child = startChild(process.execPath, [program, JSON.stringify(settings)], { namespace, log });
    return new LoadBalancer(cluster, child);
  }

  /** The changes of its routes, in order. */
  changes(): Change[] {
    const lines = this.#child.output().split("\n");
    return lines.flatMap((line) => {
      const [, at, what = ""] = /^(\d{13}) (.*)$/.exec(line) ?? [];
      return at === undefined ? [] : [{ at: Number(at), what }];
    });
  }

  /** The address of the node that receives packets from this port of the phones' host now. */
  async nodeOf(port: number, service: { readonly address: string; readonly port: number }): Promise<string> {
    const flow = ["ipproto", "udp", "sport", String(port), "dport", String(service.port)];
    const command = ["route", "get", service.address, "from", hosts.ph.address, ...flow];
    const answer = await this.#cluster.on("ph", "ip", ...command);
    return / via (\S+)/.exec(answer)?.[1] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.end();
  }
}
