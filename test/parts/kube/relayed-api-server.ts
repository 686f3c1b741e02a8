/** An API server behind a TCP relay that can stop forwarding, and clients that use the relay. */
import { readFile, writeFile } from "node:fs/promises";
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { KubeConnection } from "../../../operator/src/adapters/kube/kube-connection.ts";
import type { KubeOptions } from "../../../operator/src/adapters/kube/api-requests.ts";
import { ApiServer, type ApiServerPlan } from "../../support/kubernetes/api-server.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export interface RelayedApiServer extends AsyncDisposable {
  readonly server: ApiServer;
  readonly proxy: TcpProxy;
  /** The administrator's kubeconfig, with the relay's address. */
  readonly kubeconfig: string;
  /** Opens a new connection; it is closed on dispose. */
  connect(kubeconfig?: string): KubeConnection;
  client(options?: KubeOptions): KubeClient;
  /** Writes a copy of the kubeconfig with the relay's address. */
  relayed(kubeconfig: string): Promise<string>;
}

export async function startRelayedApiServer(plan: ApiServerPlan = {}): Promise<RelayedApiServer> {
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
