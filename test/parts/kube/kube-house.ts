/** An API server behind a relay that can be silenced, and clients that reach it through the relay. */
import { readFile, writeFile } from "node:fs/promises";
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { KubeConnection } from "../../../operator/src/adapters/kube/kube-connection.ts";
import type { KubeOptions } from "../../../operator/src/adapters/kube/api-requests.ts";
import { ApiServer, type ApiServerPlan } from "../../support/kubernetes/api-server.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export interface KubeHouse extends AsyncDisposable {
  readonly server: ApiServer;
  readonly proxy: TcpProxy;
  /** The administrator's, through the relay. */
  readonly kubeconfig: string;
  /** A connection of its own, ended with the house. */
  connect(kubeconfig?: string): KubeConnection;
  client(options?: KubeOptions): KubeClient;
  /** The same way as that kubeconfig, through the relay. */
  relayed(kubeconfig: string): Promise<string>;
}

export async function startKubeHouse(plan: ApiServerPlan = {}): Promise<KubeHouse> {
  const server = await ApiServer.start(plan);
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  const relayed = async (kubeconfig: string): Promise<string> => {
    const config = await readFile(kubeconfig, "utf8");
    await writeFile(`${kubeconfig}.relayed`, config.replace(server.url, `https://127.0.0.1:${proxy.port}`));
    return `${kubeconfig}.relayed`;
  };
  const administrator = await relayed(server.kubeconfig);
  const connections: KubeConnection[] = [];
  const connect = (kubeconfig = administrator): KubeConnection => {
    const connection = KubeConnection.fromFile(kubeconfig);
    connections.push(connection);
    return connection;
  };
  return {
    server,
    proxy,
    kubeconfig: administrator,
    connect,
    client: (options = {}) => new KubeClient(connect(), options),
    relayed,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) await connection.close();
      await proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
