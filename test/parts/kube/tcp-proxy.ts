/** A TCP relay on loopback between a client and the API server. It can stall and refuse connections, and counts them. */
import { createServer, connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** The number of connections accepted so far. */
  readonly accepted: number;
  /** Stops forwarding; connections stay open. */
  stall(): void;
  /** The stalled connections stay stalled; new ones are forwarded. */
  resumeNewConnections(): void;
  /** Closes all connections; new ones are closed at once. */
  refuse(): void;
  resume(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let mode: "relay" | "stalled" | "refuse" = "relay";
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
    if (mode === "stalled") stopForwarding(pair);
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
    stall() {
      mode = "stalled";
      for (const pair of pairs) stopForwarding(pair);
    },
    resumeNewConnections: () => (mode = "relay"),
    refuse() {
      mode = "refuse";
      dropAll();
    },
    resume() {
      mode = "relay";
      for (const [inner, outer] of pairs) if (inner.isPaused() || outer.isPaused()) inner.destroy();
    },
    async close() {
      dropAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function stopForwarding([inner, outer]: readonly [Socket, Socket]): void {
  for (const socket of [inner, outer]) socket.unpipe().pause();
}
