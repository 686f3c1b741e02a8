/** TCP connections of phones (RFC 3261 §18.1.1, §18.3): messages in both directions on the connections that phones opened. */
import { createServer, type Server, type Socket } from "node:net";
import type { Flow } from "../../wire/flow.ts";
import type { Ms } from "../../wire/units.ts";
import { Connection } from "./connection.ts";
import {
  type CloseReason,
  closeReasons,
  maxConnections,
  maxStrangersPerAddress,
} from "./connection-limits.ts";

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  /** SO_REUSEPORT: the kernel gives each connection to one of the nodes with this address. */
  readonly reusePort: boolean;
}

export interface TcpDependencies {
  now(): Ms;
  message(text: string, flow: Flow): void;
  /** The connection of this flow is closed. */
  closed(flow: Flow): void;
  /** Whether the phone of this flow has authenticated. */
  isAuthenticated(flow: Flow): boolean;
}

const checkInterval: Ms = 1_000;
/** A node that leaves closes some of its connections this often, and has closed all after `maxCloseTime`. */
const closeInterval: Ms = 20;
const maxCloseTime: Ms = 5_000;
const keepAliveDelay: Ms = 60_000;

export class TcpListener {
  /** Connections that this node closed or refused. */
  readonly closed: Record<CloseReason, number> = Object.fromEntries(
    closeReasons.map((reason) => [reason, 0]),
  ) as Record<CloseReason, number>;
  private readonly server: Server;
  private readonly deps: TcpDependencies;
  /** By the keys of their flows. */
  private readonly connections = new Map<string, Connection>();
  /** How many connections of strangers each address has. */
  private readonly strangers = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  private isClosing = false;

  private constructor(deps: TcpDependencies) {
    this.deps = deps;
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelay };
    this.server = createServer(options, (socket) => this.accept(socket));
    this.timer = setInterval(() => this.check(), checkInterval).unref();
  }

  /** Rejects if the address cannot be bound. */
  static async open({ host, port, reusePort }: TcpOptions, deps: TcpDependencies): Promise<TcpListener> {
    const listener = new TcpListener(deps);
    await new Promise<void>((resolve, reject) => {
      listener.server.once("error", reject);
      listener.server.listen({ host, port, reusePort }, () => {
        listener.server.off("error", reject);
        listener.server.on("error", () => {}); // such as EMFILE: the next connection may succeed
        resolve();
      });
    });
    return listener;
  }

  get size(): number {
    return this.connections.size;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** False: this node has no connection of this flow. */
  send(text: string, flow: Flow): boolean {
    return this.connections.get(flow.key)?.send(text) ?? false;
  }

  /** New connections go to other nodes. */
  stopAccepting(): void {
    this.server.close();
  }

  /** Closes the connections one after the other, so that their phones do not all connect again at the same moment. */
  closeInTurn(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const left = [...this.connections.values()];
    const batch = Math.ceil((left.length * closeInterval) / maxCloseTime);
    const closeSome = (): void => {
      for (const connection of left.splice(0, batch)) connection.end();
      if (left.length > 0) setTimeout(closeSome, closeInterval);
    };
    closeSome();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of this.connections.values()) connection.close();
    await ended;
  }

  private accept(socket: Socket): void {
    const { remoteAddress: address } = socket;
    if (address === undefined) return void socket.destroy(); // it is gone already
    const strangers = this.strangers.get(address) ?? 0;
    const isFull = this.connections.size >= maxConnections;
    if (isFull || strangers >= maxStrangersPerAddress) {
      this.closed[isFull ? "full" : "source"] += 1;
      return void socket.resetAndDestroy();
    }
    const connection = new Connection(socket, () => this.deps.now(), {
      message: (text, flow) => this.deps.message(text, flow),
      closed: (reason) => this.remove(connection, reason),
    });
    this.connections.set(connection.flow.key, connection);
    this.strangers.set(address, strangers + 1);
  }

  private remove(connection: Connection, reason: CloseReason | undefined): void {
    if (reason !== undefined) this.closed[reason] += 1;
    if (connection.isStranger) this.forgetStranger(connection.flow.address);
    this.connections.delete(connection.flow.key);
    this.deps.closed(connection.flow);
  }

  private forgetStranger(address: string): void {
    const left = (this.strangers.get(address) ?? 1) - 1;
    if (left > 0) this.strangers.set(address, left);
    else this.strangers.delete(address);
  }

  private check(): void {
    const now = this.deps.now();
    for (const connection of this.connections.values()) {
      const isStranger = !this.deps.isAuthenticated(connection.flow);
      if (connection.isStranger && !isStranger) {
        connection.isStranger = false;
        this.forgetStranger(connection.flow.address);
      }
      connection.check(now);
    }
  }
}
