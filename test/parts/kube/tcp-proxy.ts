/** A TCP relay on loopback between a client and the API server that can fall silent, refuse, and count connections. */
import { createServer, connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Nothing passes any more, and nobody is told: connections stay open. */
  silence(): void;
  /** The silent ones stay silent; new ones are relayed. */
  hearNewConnections(): void;
  /** Everything is closed, new connections are closed at once. */
  refuse(): void;
  hear(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let mode: "relay" | "silent" | "refuse" = "relay";
  let accepted = 0;
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer({ noDelay: true }, (inner) => {
    accepted += 1;
    const outer = connect({ port: target, host: "127.0.0.1", noDelay: true });
    const pair = [inner, outer] as const;
    const drop = (): void => {
      pairs.delete(pair);
      inner.destroy();
      outer.destroy();
    };
    pairs.add(pair);
    for (const socket of pair) socket.on("error", drop).on("close", drop);
    if (mode === "refuse") return drop();
    inner.pipe(outer);
    outer.pipe(inner);
    if (mode === "silent") mute(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const dropAll = (): void => {
    for (const [inner] of pairs) inner.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    silence() {
      mode = "silent";
      for (const pair of pairs) mute(pair);
    },
    hearNewConnections: () => (mode = "relay"),
    refuse() {
      mode = "refuse";
      dropAll();
    },
    hear() {
      mode = "relay";
      for (const [inner, outer] of pairs) if (inner.isPaused() || outer.isPaused()) inner.destroy();
    },
    async close() {
      dropAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function mute([inner, outer]: readonly [Socket, Socket]): void {
  for (const socket of [inner, outer]) socket.unpipe().pause();
}
