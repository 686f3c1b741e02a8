/**
 * A TCP proxy in front of the API server. It can freeze connections: they stay open but forward nothing, as when a firewall forgets a
 * connection. New connections are forwarded, unless they are refused.
 */
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";

export class FrozenProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #frozen: Socket[] = [];
  #isRefusing = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: URL): Promise<FrozenProxy> {
    const server = createServer();
    const proxy = new FrozenProxy(server);
    server.on("connection", (client) => {
      if (proxy.#isRefusing) client.resetAndDestroy();
      else proxy.#join(client, connect(Number(target.port), target.hostname));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Writes a copy of the kubeconfig with the proxy's address. */
  async kubeconfig(path: string): Promise<string> {
    const text = await readFile(path, "utf8");
    const copy = `${path}.proxied`;
    await writeFile(copy, text.replace(/https:\/\/127\.0\.0\.1:\d+/, `https://127.0.0.1:${this.port}`));
    return copy;
  }

  /** The number of connections that are forwarded now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Stops forwarding on all open connections without closing them. Returns their number. */
  freeze(): number {
    const pairs = [...this.#pairs];
    this.#pairs.clear();
    for (const [client, server] of pairs) {
      for (const socket of [client, server]) {
        socket.unpipe();
        socket.pause();
        this.#frozen.push(socket);
      }
    }
    return pairs.length;
  }

  /** Resets the open connections, and every new connection. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
    if (isRefusing) for (const [client] of this.#pairs) client.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#frozen, ...[...this.#pairs].flat()]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      from.pipe(to);
      from.on("error", () => undefined);
      from.on("close", () => {
        if (this.#pairs.delete(pair)) to.destroy();
      });
    }
  }
}
